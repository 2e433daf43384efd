"""Arithmetic on the shapes of BERT models, without torch: their numbers of parameters, and corresponding layers."""
