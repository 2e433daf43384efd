"""Compare masked language models on the same words."""
