"""Sentence encoders in the directory format of sentence-transformers: their files and their arithmetic."""
