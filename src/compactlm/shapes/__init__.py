"""Arithmetic on the shapes of BERT models, without torch: how many parameters they have, and which layers correspond."""
