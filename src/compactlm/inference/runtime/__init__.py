"""Find, load and run a finished model."""
