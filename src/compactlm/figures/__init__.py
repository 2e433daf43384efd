"""Measured numbers: values, confidence intervals, limits and statuses."""
