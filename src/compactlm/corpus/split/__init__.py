"""Train, validation and test splits without leaks."""
