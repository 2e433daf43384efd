"""The best answer in the windows of a passage."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from compactlm.tasks.base import Example

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """The best place in a passage, whether it is the answer or not.

    Attributes:
        start: its first character; -1 if the passage has no tokens.
        end: the character after its last; -1 if the passage has no tokens.
        margin: the sum of its logits minus that of [CLS], the score of no answer; -inf if the passage has no tokens.
        probability: the probability of this place among all places of the passage and no answer, 0 to 1.
        nothing: the probability of no answer among them, 0 to 1.
    """

    start: int
    end: int
    margin: float
    probability: float
    nothing: float

    def is_answer(self, threshold: float) -> bool:
        """Return whether the place is an answer: its margin is above the threshold."""
        return self.start >= 0 and self.margin > threshold


def best_span(windows: Sequence[Example], logits: Sequence[npt.ArrayLike], longest: int) -> Found:
    """Return the place with the highest sum of logits, in the first window that has it.

    No answer has the least score that a window gives to [CLS] (Devlin et al. 2019, for SQuAD 2.0).

    Args:
        windows: the windows of a passage, with places.
        logits: of starts and ends for each window, [tokens, 2]; padding may follow.
        longest: the most tokens of an answer.
    """
    places = [np.array(window.places, dtype=np.int64) for window in windows]
    scores = [_scores(place, np.asarray(logit, np.float64), longest) for place, logit in zip(places, logits, strict=True)]
    nothing = min(float(np.asarray(logit, np.float64)[0].sum()) for logit in logits)
    peaks = [table.max() for table in scores]
    chosen = int(np.argmax(peaks))
    best = float(peaks[chosen])
    if not np.isfinite(best):
        return Found(-1, -1, -np.inf, 0.0, 1.0)
    first, last = np.unravel_index(int(scores[chosen].argmax()), scores[chosen].shape)
    greatest = max(best, nothing)
    masses = float(np.exp(best - greatest)), float(np.exp(nothing - greatest))
    total = sum(float(np.exp(table - greatest).sum()) for table in scores) + masses[1]
    start, end = int(places[chosen][first, 0]), int(places[chosen][last, 1])
    return Found(start, end, best - nothing, masses[0] / total, masses[1] / total)


def _scores(places: npt.NDArray[np.int64], logits: Array, longest: int) -> Array:
    """Return the score of each place of a window by its first and last token, float64 [tokens, tokens]; -inf if it is no place."""
    starts, ends = np.where(places >= 0, logits[: len(places)], -np.inf).T
    table: Array = np.add.outer(starts, ends)
    length = np.subtract.outer(np.arange(len(table)), np.arange(len(table)))
    table[(length > 0) | (length <= -longest)] = -np.inf
    return table


def best_threshold(margins: npt.ArrayLike, answered: npt.ArrayLike, unanswered: npt.ArrayLike) -> float:
    """Return the threshold of margins with the highest mean score, or among several the one nearest to 0.

    Args:
        margins: of the best place of each row, [rows].
        answered: the score of each row if that place is the answer, 0 to 1 [rows].
        unanswered: the score if no answer is given [rows].
    """
    margin, yes, no = (np.asarray(values, np.float64) for values in (margins, answered, unanswered))
    finite = np.isfinite(margin)  # without a place no threshold changes the answer
    values, groups = np.unique(margin[finite], return_inverse=True)
    if not len(values):
        return 0.0
    gains = np.zeros(len(values))
    np.add.at(gains, groups, (yes - no)[finite])
    above = np.append(np.cumsum(gains[::-1])[::-1], 0.0)  # the gain of answering from each margin on
    between = (values[:-1] + values[1:]) / 2
    candidates = np.concatenate([[min(0.0, values[0] - 1)], between, [max(0.0, values[-1] + 1)]])
    near = np.flatnonzero(above >= above.max() - 1e-9)
    lows, highs = np.append(-np.inf, values)[near], np.append(values, np.inf)[near]
    if ((lows <= 0) & (highs > 0)).any():
        return 0.0
    return float(candidates[near[np.abs(candidates[near]).argmin()]])
