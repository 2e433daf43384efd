"""Filters of cleaning: each a pure function from a text to the text, perhaps changed, or to the reason to drop it."""
