"""The teacher, its signals, the losses and the trainer."""
