"""Whether a classifier agrees with the labels that augmented copies have inherited."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from transformers import BertForSequenceClassification

from compactlm.artifacts import Document
from compactlm.bert.models import classify
from compactlm.bert.tokenization import encode
from compactlm.figures.judging import judged


def agrees(
    model: BertForSequenceClassification,
    tokenizer: Any,
    labels: Sequence[str],
    rows: Sequence[tuple[str, str]],
    maximum_length: int,
    batch_tokens: int,
) -> list[bool]:
    """Tell for each row whether a classifier gives it its label.

    Args:
        model: the classifier, whose output ids are in the order of `labels`.
        tokenizer: the tokenizer that belongs to it.
        labels: the task's label names.
        rows: texts with their labels.
        maximum_length: tokens a sequence; longer texts are cut.
        batch_tokens: tokens a batch, padding included.
    """
    tokens = encode(tokenizer, [text for text, _ in rows], maximum_length)
    answers = classify(model, tokens, batch_tokens, "label agreement").argmax(dim=1).tolist()
    return [labels[answer] == label for answer, (_, label) in zip(answers, rows, strict=True)]


def label_agreement(copies: Sequence[Document], agreed: Mapping[str, bool], originals: Sequence[bool]) -> dict[str, Any]:
    """Sum up a classifier's answers on copies.

    Args:
        copies: at least one.
        agreed: by a copy's id, whether it is given its label.
        originals: whether each copy's parent is given it.

    Returns:
        `rows` (number of copies), `share` (of the copies that the classifier gives their label), `originals` (the same
        share for the copies' parents, so that what the copying costs can be read off), `judged` (0 where they are too few to judge by),
        and `by_augmenter` (share), where beside that of X stands X_judged.
    """
    by_augmenter: dict[str, list[bool]] = collections.defaultdict(list)
    for copy in copies:
        by_augmenter[str(copy.augmenter)].append(agreed[copy.id])
    return {
        "rows": len(copies),
        "share": _mean([agreed[copy.id] for copy in copies]),
        "originals": _mean(originals),
        "judged": judged(len(copies)),
        "by_augmenter": {
            key: value
            for name, values in sorted(by_augmenter.items())
            for key, value in {name: _mean(values), f"{name}_judged": judged(len(values))}.items()
        },
    }


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
