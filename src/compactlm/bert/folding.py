"""Fold decision thresholds into the bias of a classifier's head.

Afterwards the likeliest label, or a probability of one half, is the decision, so every program that reads the model decides alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from transformers import BertForSequenceClassification


def fold_threshold(classifier: BertForSequenceClassification, threshold: float | None) -> None:
    """Shift the second of two softmax labels so that it is the likelier one from this probability on; None changes nothing."""
    if threshold is not None:
        fold_thresholds(classifier, [0.5, threshold])


def fold_thresholds(classifier: BertForSequenceClassification, thresholds: Sequence[float]) -> None:
    """Shift the logit of each label so that its sigmoid is one half where it was the label's threshold.

    Args:
        classifier: changed in place.
        thresholds: one probability for each label, each above 0 and below 1.
    """
    shifts = [math.log(threshold / (1 - threshold)) for threshold in thresholds]
    bias = classifier.classifier.bias
    with torch.no_grad():
        bias -= torch.tensor(shifts, dtype=bias.dtype, device=bias.device)
