"""Sources of text to documents with stable ids."""
