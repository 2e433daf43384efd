"""Compare a new model with the version in use, decide which to use, and roll back."""
