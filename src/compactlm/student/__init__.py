"""The student's vocabulary, shape and initial weights."""
