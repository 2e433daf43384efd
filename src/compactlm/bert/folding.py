"""Fold decision thresholds, and the scale of standardised numbers, into the head of a task's model.

Afterwards the likeliest label, a probability of one half, or the output itself is the answer, so every program that reads the model answers
alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from transformers import BertForSequenceClassification, BertPreTrainedModel


def fold_threshold(classifier: BertForSequenceClassification, threshold: float | None) -> None:
    """Shift the second of two softmax labels so that it is the likelier one from this probability on; None changes nothing."""
    if threshold is not None:
        fold_thresholds(classifier, [0.5, threshold])


def fold_thresholds(classifier: BertPreTrainedModel, thresholds: Sequence[float]) -> None:
    """Shift the logit of each label so that its sigmoid is one half where it was the label's threshold.

    Args:
        classifier: changed in place.
        thresholds: one probability for each label, each above 0 and below 1.
    """
    shifts = [math.log(threshold / (1 - threshold)) for threshold in thresholds]
    bias = classifier.classifier.bias
    with torch.no_grad():
        bias -= torch.tensor(shifts, dtype=bias.dtype, device=bias.device)


def fold_scale(head: torch.nn.Linear, mean: float, deviation: float) -> None:
    """Let a head whose outputs are standardised numbers give them in the units of the data; it is changed in place."""
    with torch.no_grad():
        head.weight.mul_(deviation)
        head.bias.mul_(deviation).add_(mean)
