"""A baseline on a task's rows: TF-IDF with logistic regression, which uses only the words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from compactlm.doctor.chance import Labels
from compactlm.evaluation.embeddings.few_shot import INVERSE_REGULARISATION, ITERATIONS
from compactlm.evaluation.embeddings.tfidf import fit_tfidf

FOLDS = 2


@dataclasses.dataclass(frozen=True)
class Baseline:
    """Predicted label ids.

    Attributes:
        train: the predictions for the train rows, each by a classifier that was not trained on the row.
        validation: the predictions for the validation rows, by a classifier that was trained on all train rows.
    """

    train: Labels
    validation: Labels


def fit_baseline(train: Sequence[str], labels: Labels, validation: Sequence[str]) -> Baseline:
    """Fit TF-IDF with logistic regression on train texts.

    Raises:
        ValueError: the texts have no words, or the rows have fewer than two labels.
    """
    held_out = np.zeros(len(labels), dtype=np.int64)
    folds = np.arange(len(labels)) % FOLDS  # ids are hashes, so neighbours are unrelated
    for fold in range(FOLDS):
        learned, left = ([train[int(row)] for row in np.flatnonzero(chosen)] for chosen in (folds != fold, folds == fold))
        held_out[folds == fold] = _predict(learned, labels[folds != fold], left)
    return Baseline(held_out, _predict(train, labels, validation))


def _predict(train: Sequence[str], labels: Labels, texts: Sequence[str]) -> Labels:
    embed = fit_tfidf(train)
    classifier = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=ITERATIONS).fit(embed(train), labels)
    return np.asarray(classifier.predict(embed(texts)), dtype=np.int64)
