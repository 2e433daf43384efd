"""Whether a classifier agrees with the labels that augmented copies have inherited."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from transformers import BertForSequenceClassification

from compactlm.artifacts import Document
from compactlm.distillation.models import classify
from compactlm.evaluation.intervals import judged
from compactlm.student.tokenization import encode


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
        share for the copies' parents, so that what the copying costs can be read off), `judged` (0 where they are too few to judge by),
        and `by_augmenter` (share), where beside that of X stands X_judged.
    """
    parents = [originals[str(copy.parent)] for copy in copies]
    texts = [copy.text for copy in copies] + parents
    answers = classify(model, encode(tokenizer, texts, maximum_length), batch_tokens, "label agreement").argmax(dim=1).tolist()
    expected = [labels.index(str(copy.label)) for copy in copies]
    right = [answer == label for answer, label in zip(answers, expected * 2, strict=True)]
    by_augmenter: dict[str, list[bool]] = collections.defaultdict(list)
    for copy, agreed in zip(copies, right, strict=False):
        by_augmenter[str(copy.augmenter)].append(agreed)
    return {
        "rows": len(copies),
        "share": _mean(right[: len(copies)]),
        "originals": _mean(right[len(copies) :]),
        "judged": judged(len(copies)),
        "by_augmenter": {
            key: value
            for name, values in sorted(by_augmenter.items())
            for key, value in {name: _mean(values), f"{name}_judged": judged(len(values))}.items()
        },
    }


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
