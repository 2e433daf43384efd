"""What loads, tokenizes, batches and runs a BERT; shared by distillation, evaluation and inference."""
