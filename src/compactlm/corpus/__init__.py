"""Sources, cleaning, splitting and augmentation: text in, text out, no torch."""
