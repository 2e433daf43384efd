"""The loop after the first training: find new kinds of text, pick rows to label, and train on them."""
