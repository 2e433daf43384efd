"""The checks of a run, one module for each subject. Each has a function `check`, which yields findings."""
