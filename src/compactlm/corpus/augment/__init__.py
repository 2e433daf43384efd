"""Augmented copies of labelled rows."""
