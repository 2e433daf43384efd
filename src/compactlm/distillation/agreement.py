"""Whether a classifier agrees with the labels that augmented copies have inherited."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from transformers import BertForSequenceClassification

from compactlm.artifacts import Document
from compactlm.distillation.models import classify
from compactlm.student.tokenization import encode


def agrees(
    model: BertForSequenceClassification,
    tokenizer: Any,
    labels: Sequence[str],
    rows: Sequence[tuple[str, str]],
    maximum_length: int,
    batch_tokens: int,
) -> list[bool]:
    """Tell for each row, a text and its label, whether a classifier gives it that label; the arguments are those of `label_agreement`."""
    pieces = encode(tokenizer, [text for text, _ in rows], maximum_length)
    answers = classify(model, pieces, batch_tokens, "label agreement").argmax(dim=1).tolist()
    return [labels[answer] == label for answer, (_, label) in zip(answers, rows, strict=True)]


def label_agreement(
    model: BertForSequenceClassification,
    tokenizer: Any,
    labels: Sequence[str],
    copies: Sequence[Document],
    originals: Mapping[str, str],
    maximum_length: int,
    batch_tokens: int,
) -> dict[str, Any]:
    """Compare a classifier's answers on copies with their labels.

    Args:
        model: the classifier, whose output ids are in the order of `labels`.
        tokenizer: the tokenizer that belongs to it.
        labels: the task's label names.
        copies: at least one labelled copy.
        originals: the text of each row by id; it holds the copies' parents.
        maximum_length: pieces a sequence; longer texts are cut.
        batch_tokens: pieces a batch, padding included.

    Returns:
        `rows` (number of copies), `share` (of the copies that the classifier gives their label), `originals` (the same
        share for the copies' parents, so that what the copying costs can be read off) and `by_augmenter` (share).
    """
    rows = [(copy.text, str(copy.label)) for copy in copies] + [(originals[str(copy.parent)], str(copy.label)) for copy in copies]
    right = agrees(model, tokenizer, labels, rows, maximum_length, batch_tokens)
    by_augmenter: dict[str, list[bool]] = collections.defaultdict(list)
    for copy, agreed in zip(copies, right, strict=False):
        by_augmenter[str(copy.augmenter)].append(agreed)
    return {
        "rows": len(copies),
        "share": _mean(right[: len(copies)]),
        "originals": _mean(right[len(copies) :]),
        "by_augmenter": {name: _mean(values) for name, values in sorted(by_augmenter.items())},
    }


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
