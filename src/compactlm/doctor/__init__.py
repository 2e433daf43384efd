"""What is wrong with a run: checks of its own artifacts, one module a subject. No label of a test row is read."""
