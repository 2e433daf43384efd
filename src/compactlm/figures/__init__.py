"""Measured numbers: values, intervals and whether they can be judged."""
