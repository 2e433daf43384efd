"""Counterfactual flips: how often a prediction changes when the words of one group replace those of another.

The method follows counterfactual token fairness (Garg et al. 2019, https://arxiv.org/abs/1809.10610).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from compactlm.artifacts import Document
from compactlm.fairness.groups import Lexicon, whole_text
from compactlm.fairness.outcomes import SCORE, answered, score_bounds
from compactlm.fairness.roles import ByRole, Rule, by_role, rule
from compactlm.fairness.swaps.counterfactual import Swapper, swap_row
from compactlm.figures.bootstrap import Array, Resampler, ratio
from compactlm.figures.figure import clearly_too_few
from compactlm.params import Attribute, BiasAudit, Task
from compactlm.tasks import kind_of

Predict = Callable[[Sequence[Document]], Any]  # rows to answers, as Kind.answers returns them


@dataclasses.dataclass(frozen=True)
class Flips:
    """The effect of swapping.

    Attributes:
        rows: the number of rows that mention a group and could be swapped.
        flips: by role, the share of these rows whose answer changes; None for scores, which are continuous.
        change: by role, the mean absolute change of the favourable label's probability, or of the outcome of the task (answered).
        parity: by role, the mean outcome with the words of another group minus the mean outcome with the words of the privileged group, in
            the same texts; parity is 0. The outcome is 1 for the favourable label and 0 for other labels.
        change_name: the name of `change` in the metrics.
    """

    rows: int
    flips: ByRole | None
    change: ByRole
    parity: ByRole
    change_name: str

    def metrics(self) -> dict[str, object]:
        """Return nested figures."""
        flips = {} if self.flips is None else {"flips": self.flips}
        return {"rows": self.rows, **flips, self.change_name: self.change, "paired_parity_difference": self.parity}


def count_flips(
    rows: Sequence[Document],
    attribute: Attribute,
    task: Task,
    outcome: str,
    said: Mapping[str, Any],
    predict: Mapping[str, Predict],
    settings: BiasAudit,
    resampler: Resampler,
) -> Flips:
    """Swap the attribute's words in all rows that mention them, and let the models answer these rows again.

    The figure `parity` uses the rows that mention a single group, if this group or its replacement is the privileged one. It has the limit
    of the statistical parity difference. Its interval is much shorter than that of the same difference between different rows, because
    everything else in the two texts is equal.

    Args:
        rows: labelled test rows.
        attribute: an attribute that is found in text and has swaps.
        task: the task of the rows, of a kind whose answers have an outcome.
        outcome: its name (outcome_name).
        said: by role (TEACHER, STUDENT), the answers to the unchanged rows.
        predict: by role, a function that returns the answers to rows. It is not called if there are too few rows.
        settings: the section of params.yaml.
        resampler: for the confidence intervals.
    """
    swapper, lexicon, kind = Swapper(attribute), Lexicon(attribute), kind_of(task)
    swapped = [(at, new) for at, row in enumerate(rows) if not isinstance(new := swap_row(row, swapper, task), str)]
    places, changed = [at for at, _ in swapped], [new for _, new in swapped]
    signs = np.array([_sign(rows[at], attribute, lexicon, swapper) for at in places], dtype=np.float64)
    bounds = score_bounds(kind.outcome(None, rows, task, None)) if outcome == SCORE else None
    enough = not clearly_too_few(len(changed), settings.minimum_group_rows)
    columns: dict[tuple[str, str], Array] = {}
    for role, model in predict.items():
        before = said[role][places] if isinstance(said[role], np.ndarray) else [said[role][at] for at in places]
        answers = model(changed) if enough else None
        effect = _effect(answers, before, changed, task, outcome, bounds)
        columns["flips", role], columns["change", role] = effect.flips, effect.change
        columns["parity", role] = signs * -effect.outcome
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
        flips=None if outcome == SCORE else measured("flips", len(changed), rule("counterfactual_flips", limits)),
        change=measured("change", len(changed)),
        parity=measured("parity", int(np.abs(signs).sum()), rule("statistical_parity_difference", limits)),
        change_name="probability_change" if kind.has_favourable else "outcome_change",
    )


@dataclasses.dataclass(frozen=True)
class _Effect:
    """Of each row [rows], nan without finite answers: whether its answer flips, the absolute change, and that of the outcome with sign."""

    flips: Array
    change: Array
    outcome: Array


def _effect(
    answers: Any, before: Any, changed: Sequence[Document], task: Task, outcome: str, bounds: tuple[float, float] | None
) -> _Effect:
    kind = kind_of(task)
    if answers is None or not len(changed):
        return _Effect(*np.full((3, len(changed)), np.nan))
    has, had = (answered(one, changed, task, outcome, bounds) for one in (answers, before))
    if has is None or had is None:
        raise TypeError(f"the answers of the kind {kind.name} have no outcome {outcome}")
    broken = np.zeros(len(changed))
    if isinstance(answers, np.ndarray):  # a row without finite probabilities has no label
        broken = np.where(np.isfinite(answers.reshape(len(changed), -1)).all(axis=1), 0.0, np.nan)
    flips = kind.flipped(answers, before, task)
    favourable = task.labels.index(outcome) if kind.has_favourable else None
    change = has - had if favourable is None else answers[:, favourable] - before[:, favourable]
    return _Effect(flips + broken, np.abs(change), has - had + broken)


def _sign(row: Document, attribute: Attribute, lexicon: Lexicon, swapper: Swapper) -> int:
    """Return 1 if the swap replaces a row's group by the privileged one, -1 if it replaces the privileged one, else 0."""
    groups = lexicon.mentioned(whole_text(row))
    if len(groups) != 1:
        return 0
    target = swapper.target(groups[0], row.id)
    return int(target == attribute.privileged) - int(groups[0] == attribute.privileged)
