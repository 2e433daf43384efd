"""Whether new text differs from the text that a model was trained on, and whether that matters. Needs the base install alone."""
