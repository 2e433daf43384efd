"""A task of the user's own on a finished student."""
