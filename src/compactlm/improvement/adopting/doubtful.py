"""Find labels that a cross-fitted classifier doubts. It predicts each row after training on other rows (Northcutt et al. 2021)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from compactlm import artifacts
from compactlm.draws import sample
from compactlm.errors import CompactLMError
from compactlm.figures.bootstrap import share
from compactlm.figures.figure import Figure
from compactlm.improvement.adopting.sources import Adopted
from compactlm.inference.api import CompactLM

FOLDS = 5
MOST_OLD = 4_000  # old rows that the classifier learns from
STRENGTH = 10.0  # C of the logistic regression


@dataclasses.dataclass(frozen=True)
class Doubts:
    """New rows whose cross-fitted prediction differs from their label, the most doubtful first, and the frequency of this.

    Attributes:
        rows: each row with its prediction and the probability of its label, 0 to 1.
        new: the share of new rows with another prediction.
        old: the share of old rows with another prediction.
    """

    rows: Sequence[tuple[Adopted, str, float]]
    new: Figure
    old: Figure


def doubt(new: Sequence[Adopted], old: Sequence[artifacts.Document], seed: int, confidence: float, export: Path) -> Doubts | None:
    """Compare the labels of new rows with cross-fitted predictions.

    The classifier is a logistic regression on the sentence embedding of the exported model or, without one, on TF-IDF.

    Args:
        new: the new rows.
        old: labelled train rows of the task.
        seed: the seed that draws the folds, and MOST_OLD of the old rows.
        confidence: the level of the intervals.
        export: the directory of exported models.

    Returns:
        None if a label has fewer rows than there are folds.
    """
    chosen = sample(old, MOST_OLD, seed)
    labels = np.array([*(row.label for row in new), *(str(row.label) for row in chosen)])
    if not len(new) or np.unique(labels, return_counts=True)[1].min() < FOLDS or len(set(labels.tolist())) < 2:
        return None
    texts = [*(row.text for row in new), *(row.text for row in chosen)]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    regression = LogisticRegression(C=STRENGTH, max_iter=1_000)
    vectors = _vectors(texts, export)
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), regression) if vectors is None else regression
    probabilities = cross_val_predict(model, texts if vectors is None else vectors, labels, cv=folds, method="predict_proba")
    names = np.unique(labels)
    answers, own = names[probabilities.argmax(axis=1)], probabilities[np.arange(len(labels)), np.searchsorted(names, labels)]
    differs = answers != labels
    rows = [(row, str(answers[place]), float(own[place])) for place, row in enumerate(new) if differs[place]]
    figures = [share(int(part.sum()), len(part), confidence) for part in (differs[: len(new)], differs[len(new) :])]
    return Doubts(sorted(rows, key=lambda one: (one[2], one[0].id)), figures[0], figures[1])


def _vectors(texts: Sequence[str], export: Path) -> np.ndarray[tuple[int, int], np.dtype[np.float32]] | None:
    if not (export / artifacts.EMBEDDING).is_dir():
        return None
    try:
        return CompactLM(export, backend="onnx").embed(texts)
    except CompactLMError:
        return None
