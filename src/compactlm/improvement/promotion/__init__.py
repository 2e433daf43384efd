"""The comparison of a new model with the version in use, the decision, and the way back."""
