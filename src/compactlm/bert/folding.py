"""Fold decision thresholds and the scale of standardised targets into the head of a task's model.

Afterwards the answer is the likeliest label, every label with a probability of at least one half, or the output itself. Every program that
reads the model therefore gives the same answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from transformers import BertForSequenceClassification, BertPreTrainedModel


def fold_threshold(classifier: BertForSequenceClassification, threshold: float | None) -> None:
    """Shift the second of two softmax logits so that this label wins from this probability on; None changes nothing."""
    if threshold is not None:
        fold_thresholds(classifier, [0.5, threshold])


def fold_thresholds(classifier: BertPreTrainedModel, thresholds: Sequence[float]) -> None:
    """Shift the logit of each label so that its threshold becomes a sigmoid of one half.

    Args:
        classifier: changed in place.
        thresholds: one probability for each label, each above 0 and below 1.
    """
    shifts = [math.log(threshold / (1 - threshold)) for threshold in thresholds]
    bias = classifier.classifier.bias
    with torch.no_grad():
        bias -= torch.tensor(shifts, dtype=bias.dtype, device=bias.device)


def fold_scale(head: torch.nn.Linear, mean: float, deviation: float) -> None:
    """Change a head in place so that its outputs are no longer standardised, but in the units of the data."""
    with torch.no_grad():
        head.weight.mul_(deviation)
        head.bias.mul_(deviation).add_(mean)
