"""Filters of cleaning. Each is a pure function that returns the (possibly changed) text, or the reason to drop it."""
