"""The bias audit of labelled rows and of models."""
