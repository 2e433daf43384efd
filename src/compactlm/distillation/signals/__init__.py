"""The teacher's signals, computed online or read from a cache."""
