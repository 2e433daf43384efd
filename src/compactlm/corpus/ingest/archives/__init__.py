"""Archives of a Python package index."""
