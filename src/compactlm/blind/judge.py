"""An automatic judge: a classifier that learns to tell the probabilities of one model from those of another."""

from __future__ import annotations

import dataclasses

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, permutation_test_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from compactlm.errors import CompactLMError
from compactlm.figures.bootstrap import CONFIDENCE, Array

FOLDS = 5
PERMUTATIONS = 200
MINIMUM_ROWS = 10 * FOLDS
LEAST = 1e-12  # the least probability, so that logarithms are finite


@dataclasses.dataclass(frozen=True)
class Told:
    """How well a classifier tells two models apart.

    Attributes:
        rows: the number of rows.
        auc: the out-of-fold area under the ROC curve, averaged over the folds; 0.5 is chance, 1 is always right.
        chance_low: the lower end of the interval of this area under permutations of the sides.
        chance_high: the upper end.
        p: the share of permutations (including the true order) whose area is at least as large.
    """

    rows: int
    auc: float
    chance_low: float
    chance_high: float
    p: float

    @property
    def told(self) -> bool:
        """Whether the area is above the interval of the permutations."""
        return self.auc > self.chance_high


def tell_apart(first: Array, second: Array, seed: int, permutations: int = PERMUTATIONS) -> Told:
    """Learn which of a row's two probability vectors comes from the first model, and measure the classifier out of fold.

    For each row, the two sides are exchanged at random. A logistic regression gets the difference of both sides' features: the centred log
    probabilities, their squares, the largest log probability and the entropy. The permutation test (Ojala and Garriga 2010) repeats the
    whole procedure with permuted sides, so its interval accounts for overfitting to noise.

    Args:
        first: probabilities, float64 [rows, labels].
        second: probabilities of another model for the same rows, float64 [rows, labels].
        seed: the seed of sides, folds and permutations.
        permutations: the number of permutations.

    Raises:
        CompactLMError: there are fewer than MINIMUM_ROWS rows.
    """
    if len(first) < MINIMUM_ROWS:
        raise CompactLMError(f"{len(first)} test rows are too few for a classifier to judge; at least {MINIMUM_ROWS} are needed")
    sides = np.random.default_rng(seed).permutation(np.arange(len(first)) % 2)
    differences = np.where(sides[:, None] == 1, 1.0, -1.0) * (_features(first) - _features(second))
    # Without means and an intercept, exchanged sides exactly reverse a decision.
    classifier = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(fit_intercept=False, max_iter=1000))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    area, permuted, p = permutation_test_score(
        classifier, differences, sides, cv=folds, n_permutations=permutations, random_state=seed, scoring="roc_auc"
    )
    low, high = np.quantile(permuted, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Told(len(first), *(round(float(number), 6) for number in (area, low, high, p)))


def _features(probabilities: Array) -> Array:
    logs = np.log(np.clip(probabilities, LEAST, 1.0))
    centred = logs - logs.mean(axis=1, keepdims=True)
    entropy = -(probabilities * logs).sum(axis=1, keepdims=True)
    return np.concatenate([centred, centred**2, logs.max(axis=1, keepdims=True), entropy], axis=1)
