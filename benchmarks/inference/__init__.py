"""Speed of the finished model beside larger ones; started by benchmarks/bench_inference.py."""
