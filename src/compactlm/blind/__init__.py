"""Test whether the student can be told from its teacher: pairs of answers that people judge, their votes, and an automatic judge."""
