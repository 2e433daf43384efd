"""The student's vocabulary, shape and first weights."""
