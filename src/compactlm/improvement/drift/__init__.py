"""Test whether new text differs from the text that a model was trained on, and whether this matters. Needs only the base install."""
