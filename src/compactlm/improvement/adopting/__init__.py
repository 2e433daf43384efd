"""Labelled rows become sources of the next training, and rows that a person asks to remove leave it."""
