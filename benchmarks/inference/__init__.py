"""The parts of benchmarks/bench_inference.py, which compares the speed of the finished model with larger models."""
