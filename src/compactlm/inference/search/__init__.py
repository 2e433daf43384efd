"""Search by meaning: the index, knowledge files and similar texts."""
