"""Held-out predictions for every labelled row: a head on frozen features of the student, fitted on the other rows.

The student that is shipped has learnt from the train rows, so its answers to them say little about new rows. The features come from the
general student, which has seen no label, and a row is answered by a head that has not seen the row or its document.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import BertModel

from compactlm.artifacts import Document
from compactlm.bert.tokenization import encode
from compactlm.corpus.split.rows import duplicate_key
from compactlm.figures.bootstrap import Array
from compactlm.inference.finetuning.probing import averaged_states

FOLDS = 10
STRENGTH = 0.03  # the inverse of the penalty
Integers = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Held:
    """Held-out predictions.

    Attributes:
        probabilities: of each label, float64 [rows, labels].
        accuracy: the share of rows that are predicted right.
        seconds: the time of features and heads.
    """

    probabilities: Array
    accuracy: float
    seconds: float


def frozen_features(body: BertModel, tokenizer: Any, maximum_length: int, texts: Sequence[str]) -> Array:
    """Return the mean hidden states of all layers side by side, float64 [texts, (layers + 1) * hidden]."""
    states = averaged_states(body, encode(tokenizer, texts, maximum_length))
    return np.asarray(states.permute(1, 0, 2).reshape(len(texts), -1).to(torch.float64).numpy())


def groups_of(rows: Sequence[Document]) -> Integers:
    """Return a number for each row; rows of one document and rows with the same letters and digits have the same."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            name = parents[name]
        return name

    for row in rows:
        parents[root(f"text {duplicate_key(row.text)}")] = root(f"document {row.source}/{row.document}")
    names = [root(f"text {duplicate_key(row.text)}") for row in rows]
    return np.unique(names, return_inverse=True)[1]


def held_out(features: Callable[[], Array], expected: Integers, groups: Integers, labels: int, folds: int = FOLDS) -> Held:
    """Return the predictions of heads that have not seen the rows' groups.

    Args:
        features: makes the features, float64 [rows, features]; timed.
        expected: label ids [rows].
        groups: a number for each row; rows of one group are in one fold [rows].
        labels: the number of labels.
        folds: the number of folds.
    """
    start = time.perf_counter()
    values, found = features(), np.zeros((len(expected), labels))
    for train, rest in GroupKFold(folds).split(values, expected, groups):
        head = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=300))
        head.fit(values[train], expected[train])
        found[np.ix_(rest, head.classes_)] = head.predict_proba(values[rest])
    right = found.argmax(axis=1) == expected
    return Held(found, float(right.mean()), time.perf_counter() - start)
