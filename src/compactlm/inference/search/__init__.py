"""Search a file or the vocabulary by sentence embeddings."""
