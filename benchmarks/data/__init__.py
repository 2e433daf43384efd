"""What `make bench-data` is made of."""
