"""Tags of words: schemes, windows of long texts, and metrics."""
