"""Limits of the figures that describe a student's weaknesses. They only inform the reader; the gates check only figures of fairness."""

from compactlm.figures.figure import Limit

CALIBRATION = Limit(high=0.05)  # of the calibration error
KEPT = Limit(low=0.95)  # of the share that a change leaves: accuracy under a perturbation, first choices after fine-tuning
FIRST_CHOICE = Limit(low=0.3)  # of the share of masked words whose first choice is right
SLICE_GAP = 0.05  # of the accuracy on all rows minus that on a slice
SIGNIFICANT = 0.05  # two models differ beyond chance where the p of the test is below
