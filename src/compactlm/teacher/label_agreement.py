"""Whether a classifier agrees with the labels of augmented copies."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from transformers import BertForSequenceClassification

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.bert.models import classify, load_classifier, load_tokenizer
from compactlm.bert.tokenization import encode
from compactlm.draws import sample
from compactlm.figures.figure import Figure
from compactlm.params import Params

ROWS = 1_000  # the share of agreement is measured on this many copies of a task


def judge_copies(
    copies: Sequence[Document], originals: Mapping[str, str], params: Params
) -> tuple[dict[str, bool], dict[str, dict[str, Any]]]:
    """Classify copies by the teacher of their task: all copies if only those with the right label are kept, else a sample.

    `originals` has the text of each row by its id.

    Returns:
        Whether the teacher predicts the label of a copy, by its id, and the figures of `label_agreement` by task.
    """
    agreed: dict[str, bool] = {}
    agreement = {}
    for name, task in params.tasks.items():
        own = [copy for copy in copies if copy.task == name]
        measured = sample(own, ROWS, params.seed)
        if not measured:
            continue
        judged = own if params.augment.labels == "keep" else measured
        rows = [(copy.text, str(copy.label)) for copy in judged] + [(originals[str(copy.parent)], str(copy.label)) for copy in measured]
        directory = artifacts.TEACHER / name
        classifier, tokenizer = load_classifier(directory), load_tokenizer(directory)
        right = agrees(classifier, tokenizer, task.labels, rows, params.teacher.maximum_length, params.batch_tokens)
        agreed.update(zip((copy.id for copy in judged), right[: len(judged)], strict=True))
        agreement[name] = label_agreement(measured, agreed, right[len(judged) :])
    return agreed, agreement


def agrees(
    model: BertForSequenceClassification,
    tokenizer: Any,
    labels: Sequence[str],
    rows: Sequence[tuple[str, str]],
    maximum_length: int,
    batch_tokens: int,
) -> list[bool]:
    """Return for each row, a text with its label, whether a classifier predicts the label. Its outputs are in the order of `labels`."""
    tokens = encode(tokenizer, [text for text, _ in rows], maximum_length)
    predictions = classify(model, tokens, batch_tokens, "label agreement").argmax(dim=1).tolist()
    return [labels[predicted] == label for predicted, (_, label) in zip(predictions, rows, strict=True)]


def label_agreement(copies: Sequence[Document], agreed: Mapping[str, bool], originals: Sequence[bool]) -> dict[str, Any]:
    """Summarise a classifier's predictions on copies.

    Args:
        copies: the copies, at least one.
        agreed: whether the classifier predicts a copy's label, by the copy's id.
        originals: whether the classifier predicts the label of each copy's parent.

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
