"""Fine-tune a finished student on a user's labelled rows."""
