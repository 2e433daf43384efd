"""Distillation: the teacher's signals, the losses, the inputs and the phases."""
