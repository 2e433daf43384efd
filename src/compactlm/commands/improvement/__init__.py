"""The commands that improve a model in use: watch, pick, label, adopt, promote and rollback."""
