"""compactlm: a compact BERT from text and a BERT teacher, every step versioned by DVC."""

__version__ = "0.1.0"
