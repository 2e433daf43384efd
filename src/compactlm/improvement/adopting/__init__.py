"""Add labelled rows to the sources of the next training, and remove rows at a person's request."""
