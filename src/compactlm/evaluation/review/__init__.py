"""The review of a change: metrics against a git revision."""
