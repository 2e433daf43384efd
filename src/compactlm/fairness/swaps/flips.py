"""Counterfactual flips: how often a prediction changes when the words of one group replace those of another.

After counterfactual token fairness (Garg et al. 2019, https://arxiv.org/abs/1809.10610).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.fairness.roles import ByRole, Rule, by_role, rule
from compactlm.fairness.swaps.counterfactual import Swapper
from compactlm.figures.bootstrap import Array, Resampler, ratio
from compactlm.params import Attribute, BiasAudit

Predict = Callable[[Sequence[str]], Array]  # texts to probabilities, float [texts, labels]


@dataclasses.dataclass(frozen=True)
class Flips:
    """The effect of swapping.

    Attributes:
        rows: rows that mention a group and could be swapped.
        flips: by role, the share of these whose predicted label changes.
        change: by role, the mean absolute change of the favourable label's probability.
    """

    rows: int
    flips: ByRole
    change: ByRole

    def metrics(self) -> dict[str, object]:
        """Return nested figures."""
        return {"rows": self.rows, "flips": self.flips, "probability_change": self.change}


def count_flips(
    rows: Sequence[Document],
    attribute: Attribute,
    probabilities: Mapping[str, Array],
    predict: Mapping[str, Predict],
    favorable: int,
    settings: BiasAudit,
    resampler: Resampler,
) -> Flips:
    """Swap the attribute's words in all rows that mention them, and classify these rows again.

    Args:
        rows: test rows.
        attribute: found in text, with swaps.
        probabilities: by role (TEACHER, STUDENT), of the rows as they are, float [rows, labels].
        predict: by role. It is not called where there are too few rows.
        favorable: position of the favourable label.
        settings: the section of params.yaml.
        resampler: for the confidence intervals.
    """
    swapper = Swapper(attribute)
    swapped = [(at, text) for at, row in enumerate(rows) if (text := swapper.swap(row.text, row.id)) not in (None, row.text)]
    places, texts = [at for at, _ in swapped], [str(text) for _, text in swapped]
    enough = len(texts) >= settings.minimum_group_rows
    columns: dict[tuple[str, str], Array] = {}
    for role, model in predict.items():
        before = np.asarray(probabilities[role])[places]
        after = np.asarray(model(texts)) if enough else np.full_like(before, np.nan)
        broken = np.where(np.isfinite(after).all(axis=1), 0.0, np.nan)  # a row without finite probabilities has no label
        columns["flips", role] = (before.argmax(axis=1) != after.argmax(axis=1)) + broken
        columns["change", role] = np.abs(after[:, favorable] - before[:, favorable])
    documents = [f"{rows[at].source}/{rows[at].document}" for at in places]
    drawn = resampler.sums(np.stack([np.ones(len(texts)), *columns.values()], axis=1), documents)
    sampled = dict(zip(columns, ratio(drawn[:, 1:], drawn[:, :1]).T, strict=True))

    def measured(kind: str, judged_by: Rule | None = None) -> ByRole:
        points = {role: float(columns[kind, role].mean()) if enough else float("nan") for role in predict}
        about = {"rows": len(texts), "rows_needed": settings.minimum_group_rows}
        return by_role(points, {role: sampled[kind, role] for role in predict}, resampler, judged_by, **about)

    return Flips(len(texts), measured("flips", rule("counterfactual_flips", settings.gate.model)), measured("change"))
