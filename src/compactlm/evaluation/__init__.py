"""Compare the quality of teacher and student."""
