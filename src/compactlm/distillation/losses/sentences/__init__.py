"""The losses of sentence vectors."""
