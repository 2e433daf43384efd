"""Jobs and texts of `make bench-data`."""
