"""What a finished model says of texts, for each kind of task."""
