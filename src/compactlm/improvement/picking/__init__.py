"""Which rows are worth a label. Needs the base install alone."""
