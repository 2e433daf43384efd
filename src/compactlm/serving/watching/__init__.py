"""Optional functions for operators: a log of answers, and a second model that answers the same requests."""
