"""Find the faults of a run by its artifacts. Labels of test rows are never read.

A new subject is a module in `subjects` and a line in `registry`.
"""
