"""Use a finished model, for each kind of task."""
