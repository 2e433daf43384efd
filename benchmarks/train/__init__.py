"""Training speed of compactlm, a plain Trainer and TextBrewer, side by side; started by benchmarks/bench_train.py."""
