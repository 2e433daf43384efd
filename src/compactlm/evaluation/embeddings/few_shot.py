"""Few-shot classification: logistic regression on the embeddings of few labelled rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from compactlm.artifacts import Document
from compactlm.draws import draw_bits, draw_items
from compactlm.evaluation.embeddings.vectors import Embed
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Figure

INVERSE_REGULARISATION = 10.0
ITERATIONS = 1000

Rights = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class FewShot:
    """The rows of a task.

    Attributes:
        texts: distinct train texts.
        labels: their labels.
        draws: for each number of rows per label, the positions of the train texts in each draw.
        test_texts: the texts of the test rows.
        test_labels: their labels.
    """

    texts: tuple[str, ...]
    labels: npt.NDArray[np.str_]
    draws: dict[int, list[list[int]]]
    test_texts: tuple[str, ...]
    test_labels: npt.NDArray[np.str_]


def make_few_shot(train: Iterable[Document], test: Iterable[Document], task: str, sizes: Sequence[int], draws: int, seed: int) -> FewShot:
    """Draw train rows of a task. Within a draw, smaller sets are subsets of larger ones.

    A size is left out if a label has fewer rows. Copies of rows are never drawn.
    """
    own = [row for row in train if row.task == task and row.parent is None]
    by_label: dict[str, dict[str, Document]] = {}
    for row in own:
        by_label.setdefault(str(row.label), {}).setdefault(row.text, row)
    fewest = min(map(len, by_label.values()), default=0)
    possible = [size for size in sizes if size <= fewest]
    drawn = [
        [draw_items(rows.values(), max(possible), "few-shot", seed, draw, key=lambda row: row.id) for _, rows in sorted(by_label.items())]
        for draw in range(draws if possible else 0)
    ]
    used = {row.id: row for draw in drawn for rows in draw for row in rows}
    position = {name: at for at, name in enumerate(used)}
    tested = [row for row in test if row.task == task]
    return FewShot(
        tuple(row.text for row in used.values()),
        np.array([str(row.label) for row in used.values()], dtype=np.str_),
        {size: [[position[row.id] for rows in draw for row in rows[:size]] for draw in drawn] for size in possible},
        tuple(row.text for row in tested),
        np.array([str(row.label) for row in tested], dtype=np.str_),
    )


def classify_few(embed: Embed, rows: FewShot) -> dict[int, Rights]:
    """Return by number of rows per label whether each test row is classified correctly, 1 or 0, float64 [draws, test rows]."""
    if not rows.draws or not rows.test_texts:
        return {}
    train, test = embed(rows.texts), embed(rows.test_texts)
    found: dict[int, Rights] = {}
    for size, draws in rows.draws.items():
        right = []
        for chosen in draws:
            classifier = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=ITERATIONS)
            classifier.fit(train[chosen], rows.labels[chosen])
            right.append(classifier.predict(test) == rows.test_labels)
        found[size] = np.array(right, dtype=np.float64)
    return found


def accuracy(right: Rights, resampler: Resampler) -> Figure:
    """Return the mean accuracy over draws and test rows of `classify_few`.

    The interval resamples both, because the figure depends on the draws and on the test rows (the pigeonhole bootstrap, Owen 2007,
    https://doi.org/10.1214/07-AOAS122).
    """
    return resampler.figure(float(right.mean()), _resampled(right, resampler), rows=right.shape[1])


def kept(student: Rights, teacher: Rights, resampler: Resampler) -> Figure:
    """Return the student's accuracy as a share of the teacher's, on the same draws and test rows."""
    above, below = (_resampled(right, resampler) for right in (student, teacher))
    value = float(student.mean() / teacher.mean()) if teacher.any() else float("nan")
    return resampler.figure(value, above / np.where(below > 0, below, np.nan), rows=student.shape[1])


def _resampled(right: Rights, resampler: Resampler) -> npt.NDArray[np.float64]:
    draws, rows = right.shape
    other = dataclasses.replace(resampler, seed=draw_bits("few-shot draws", resampler.seed) >> 32)
    of_rows = np.concatenate([drawn @ right.T for drawn in resampler.draw(np.ones(rows, dtype=np.int64))]) / rows
    of_draws = np.concatenate(list(other.draw(np.ones(draws, dtype=np.int64)))) / draws
    return np.einsum("sd,sd->s", of_rows, of_draws)
