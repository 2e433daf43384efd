"""Whether a run gives the artifacts that a git revision describes: to the byte, within rounding, or not."""
