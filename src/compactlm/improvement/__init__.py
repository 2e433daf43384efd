"""The loop after the first training: which text is new, which rows are worth a label, and what is learnt from them."""
