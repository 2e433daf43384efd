"""Load, tokenize, batch and run a BERT. Distillation, evaluation and inference share this package."""
