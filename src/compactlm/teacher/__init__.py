"""The teacher: loading it, giving it a head, and fine-tuning it."""
