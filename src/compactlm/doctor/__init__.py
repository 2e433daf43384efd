"""Find the faults of a run by its artifacts. Each subject has one module. Labels of test rows are never read."""
