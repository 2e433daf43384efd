"""Can the student be told from its teacher? Pairs of differing answers for people to judge, their votes, and a judge without people."""
