"""Counterfactual flips: what a model says when the words of one group take the place of another's, and nothing else changes.

After counterfactual token fairness (Garg et al. 2019, https://arxiv.org/abs/1809.10610).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.fairness.audit.models import AMPLIFICATION, STUDENT, TEACHER
from compactlm.fairness.swaps.counterfactual import Swapper
from compactlm.figures.bootstrap import Array, Estimate, estimate, ratio, resampled_sums
from compactlm.params import Attribute, Bootstrap

Predict = Callable[[Sequence[str]], Array]  # texts to probabilities, float [texts, labels]


@dataclasses.dataclass(frozen=True)
class Flips:
    """What swapping did, by role and as amplification.

    Attributes:
        rows: rows that mention a group and could be swapped.
        flips: share of these whose predicted label changes.
        change: mean absolute change of the favourable label's probability.
        why_not: why it was not judged, or None where it was.
    """

    rows: int
    flips: dict[str, Estimate]
    change: dict[str, Estimate]
    why_not: str | None = None

    def metrics(self) -> dict[str, object]:
        """Return nested numbers, with `judged` (0 or 1)."""
        found: dict[str, object] = {"judged": int(self.why_not is None), "rows": self.rows}
        for name, by_role in (("flips", self.flips), ("probability_change", self.change)):
            if by_role:
                found[name] = {key: value for role, known in by_role.items() for key, value in known.metrics(role).items()}
        return found


def count_flips(
    rows: Sequence[Document],
    attribute: Attribute,
    probabilities: Mapping[str, Array],
    predict: Mapping[str, Predict],
    favorable: int,
    minimum: int,
    bootstrap: Bootstrap,
    seed: int,
) -> Flips:
    """Swap the attribute's words in all rows that mention them and ask the models again.

    Args:
        rows: test rows.
        attribute: found in text, with swaps.
        probabilities: what each model (TEACHER, STUDENT) says of the rows as they are, float [rows, labels].
        predict: each model, as a function from texts to probabilities.
        favorable: position of the favourable label.
        minimum: the fewest swapped rows that can be judged.
        bootstrap: how intervals are made.
        seed: of the bootstrap.
    """
    swapper = Swapper(attribute)
    swapped = [(at, text) for at, row in enumerate(rows) if (text := swapper.swap(row.text, row.id)) not in (None, row.text)]
    places, texts = [at for at, _ in swapped], [str(text) for _, text in swapped]
    if len(texts) < minimum:
        return Flips(len(texts), {}, {}, f"only {len(texts):,} rows could be swapped; at least {minimum:,} are needed")
    columns = [np.ones(len(texts))]
    for role, model in predict.items():
        before, after = np.asarray(probabilities[role])[places], np.asarray(model(texts))
        columns += [before.argmax(axis=1) != after.argmax(axis=1), np.abs(after[:, favorable] - before[:, favorable])]
    values = np.stack(columns, axis=1).astype(np.float64)
    documents = [f"{rows[at].source}/{rows[at].document}" for at in places]
    drawn = resampled_sums(values, documents, bootstrap, seed)
    means, sampled = values.mean(axis=0), ratio(drawn[:, 1:], drawn[:, :1])
    found = []
    for offset in range(2):
        points = {role: float(means[1 + 2 * at + offset]) for at, role in enumerate(predict)}
        samples = {role: sampled[:, 2 * at + offset] for at, role in enumerate(predict)}
        if {TEACHER, STUDENT} <= set(predict):
            points[AMPLIFICATION] = points[STUDENT] - points[TEACHER]
            samples[AMPLIFICATION] = samples[STUDENT] - samples[TEACHER]
        known = {role: estimate(point, samples[role], bootstrap.confidence) for role, point in points.items()}
        found.append({role: value for role, value in known.items() if value})
    complete = all(set(predict) <= set(by_role) for by_role in found)
    return Flips(len(texts), found[0], found[1], None if complete else "a model gives no finite probabilities")
