"""Metrics of multilabel classification and regression, for many resamples at once."""
