"""Filters that repair or drop texts, and cleaning of a whole corpus."""
