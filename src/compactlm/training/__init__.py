"""The training loop, checkpoints, processes and learning curves; shared by teacher and student."""
