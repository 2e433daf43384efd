"""Exact duplicates and near-duplicates across all shards of a corpus."""
