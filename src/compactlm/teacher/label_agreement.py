"""Whether a classifier agrees with the labels that augmented copies have inherited."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from transformers import BertForSequenceClassification

from compactlm.artifacts import Document
from compactlm.bert.models import classify
from compactlm.bert.tokenization import encode
from compactlm.figures.figure import Figure


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
        `share` (of the copies to which the classifier gives their label), `originals` (the same share of the copies' parents, for
        comparison), and `by_augmenter` (share), as the JSON of figures.
    """
    by_augmenter: dict[str, list[bool]] = collections.defaultdict(list)
    for copy in copies:
        by_augmenter[str(copy.augmenter)].append(agreed[copy.id])
    return {
        "share": _share([agreed[copy.id] for copy in copies]),
        "originals": _share(originals),
        "by_augmenter": {name: _share(values) for name, values in sorted(by_augmenter.items())},
    }


def _share(values: Sequence[bool]) -> dict[str, float | int]:
    return Figure.over_rows(sum(values) / len(values), len(values)).to_json()
