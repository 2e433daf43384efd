"""Whether a classifier agrees with the labels of augmented copies."""

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
    """Return for each row whether a classifier predicts its label.

    Args:
        model: the classifier, whose outputs are in the order of `labels`.
        tokenizer: the classifier's tokenizer.
        labels: the task's label names.
        rows: texts with their labels.
        maximum_length: tokens in a sequence; longer texts are cut.
        batch_tokens: tokens in a batch, padding included.
    """
    tokens = encode(tokenizer, [text for text, _ in rows], maximum_length)
    answers = classify(model, tokens, batch_tokens, "label agreement").argmax(dim=1).tolist()
    return [labels[answer] == label for answer, (_, label) in zip(answers, rows, strict=True)]


def label_agreement(copies: Sequence[Document], agreed: Mapping[str, bool], originals: Sequence[bool]) -> dict[str, Any]:
    """Summarise a classifier's answers on copies.

    Args:
        copies: the copies, at least one.
        agreed: by a copy's id, whether the classifier predicts its label.
        originals: for each copy's parent, whether the classifier predicts its label.

    Returns:
        Figures in JSON: `share` (of the copies whose label the classifier predicts), `originals` (the same share for the copies'
        parents), and `by_augmenter` (share).
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
