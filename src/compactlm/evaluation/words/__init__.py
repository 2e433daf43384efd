"""Masked language models on the same words."""
