"""Read sources of text into documents with stable ids."""
