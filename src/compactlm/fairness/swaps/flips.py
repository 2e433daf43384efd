"""Counterfactual flips: how often a prediction changes when the words of one group replace those of another.

After counterfactual token fairness (Garg et al. 2019, https://arxiv.org/abs/1809.10610).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.fairness.groups import Lexicon, whole_text
from compactlm.fairness.roles import ByRole, Rule, by_role, rule
from compactlm.fairness.swaps.counterfactual import Swapper, swap_row
from compactlm.figures.bootstrap import Array, Resampler, ratio
from compactlm.figures.figure import clearly_too_few
from compactlm.params import Attribute, BiasAudit

Predict = Callable[[Sequence[Document]], Array]  # rows to probabilities, float [rows, labels]


@dataclasses.dataclass(frozen=True)
class Flips:
    """The effect of swapping.

    Attributes:
        rows: rows that mention a group and could be swapped.
        flips: by role, the share of these whose predicted label changes.
        change: by role, the mean absolute change of the favourable label's probability.
        parity: by role, the share of texts that are predicted the favourable label with the words of another group minus the share with
            those of the privileged group, in the same rows; parity is 0.
    """

    rows: int
    flips: ByRole
    change: ByRole
    parity: ByRole

    def metrics(self) -> dict[str, object]:
        """Return nested figures."""
        named = {"flips": self.flips, "probability_change": self.change, "paired_parity_difference": self.parity}
        return {"rows": self.rows, **named}


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

    The paired figure uses the rows that mention one group alone, where this group or its replacement is the privileged one. It is judged by
    the limit of the statistical parity difference. Its interval is much shorter than that of the same difference between different rows,
    because everything else in the two texts is equal.

    Args:
        rows: test rows.
        attribute: found in text, with swaps.
        probabilities: by role (TEACHER, STUDENT), of the rows as they are, float [rows, labels].
        predict: by role. It is not called where there are too few rows.
        favorable: position of the favourable label.
        settings: the section of params.yaml.
        resampler: for the confidence intervals.
    """
    swapper, lexicon = Swapper(attribute), Lexicon(attribute)
    swapped = [(at, new) for at, row in enumerate(rows) if not isinstance(new := swap_row(row, swapper), str)]
    places, changed = [at for at, _ in swapped], [new for _, new in swapped]
    signs = np.array([_sign(rows[at], attribute, lexicon, swapper) for at in places], dtype=np.float64)
    enough = not clearly_too_few(len(changed), settings.minimum_group_rows)
    columns: dict[tuple[str, str], Array] = {}
    for role, model in predict.items():
        before = np.asarray(probabilities[role])[places]
        after = np.asarray(model(changed)) if enough else np.full_like(before, np.nan)
        broken = np.where(np.isfinite(after).all(axis=1), 0.0, np.nan)  # a row without finite probabilities has no label
        has, had = (found.argmax(axis=1) == favorable for found in (after, before))
        columns["flips", role] = (before.argmax(axis=1) != after.argmax(axis=1)) + broken
        columns["change", role] = np.abs(after[:, favorable] - before[:, favorable])
        columns["parity", role] = signs * (had.astype(np.float64) - has) + broken
    documents = [f"{rows[at].source}/{rows[at].document}" for at in places]
    counted = np.stack([np.ones(len(changed)), np.abs(signs)], axis=1)
    drawn = resampler.sums(np.concatenate([counted, np.stack(list(columns.values()), axis=1)], axis=1), documents)

    def measured(kind: str, rows: int, judged_by: Rule | None = None) -> ByRole:
        below = 1 if kind == "parity" else 0  # the column that counts the rows
        at = {role: 2 + list(columns).index((kind, role)) for role in predict}
        points = {role: float(ratio(columns[kind, role].sum(), counted[:, below].sum())) for role in predict}
        samples = {role: ratio(drawn[:, at[role]], drawn[:, below]) for role in predict}
        return by_role(points, samples, resampler, judged_by, rows=rows, rows_needed=settings.minimum_group_rows)

    limits = settings.gate.model
    return Flips(
        rows=len(changed),
        flips=measured("flips", len(changed), rule("counterfactual_flips", limits)),
        change=measured("change", len(changed)),
        parity=measured("parity", int(np.abs(signs).sum()), rule("statistical_parity_difference", limits)),
    )


def _sign(row: Document, attribute: Attribute, lexicon: Lexicon, swapper: Swapper) -> int:
    """Return 1 if a row's group is compared with the privileged one by its swap, -1 if it is the privileged one, else 0."""
    groups = lexicon.mentioned(whole_text(row))
    if len(groups) != 1:
        return 0
    target = swapper.target(groups[0], row.id)
    return int(target == attribute.privileged) - int(groups[0] == attribute.privileged)
