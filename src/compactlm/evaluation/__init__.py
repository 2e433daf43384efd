"""Quality of teacher and student, side by side."""
