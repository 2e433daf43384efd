"""The review of a change: compare metrics with a git revision."""
