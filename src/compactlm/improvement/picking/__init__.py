"""Choose the rows that are worth labelling. Needs only the base install."""
