"""One thin module a stage, run as `python -m compactlm.stages.<name>`."""
