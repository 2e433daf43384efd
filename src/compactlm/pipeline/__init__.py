"""Run a stage and record its code. No stage computes its results with this package."""
