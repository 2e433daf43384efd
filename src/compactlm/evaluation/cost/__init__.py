"""The size and speed of models."""
