"""Finds, loads and runs a finished model."""
