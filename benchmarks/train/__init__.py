"""Training speed of compactlm, a plain Trainer and TextBrewer; see benchmarks/bench_train.py."""
