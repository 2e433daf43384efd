"""Robustness: how much of its metric a model keeps if the same rows contain typing errors and other perturbations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from compactlm.corpus.augment.perturbation import PERTURBATIONS, make_perturbations, perturb
from compactlm.draws import draw_items
from compactlm.evaluation.limits import KEPT
from compactlm.evaluation.paired import ROLES, Answers
from compactlm.figures.bootstrap import Array, Resampler, ratio
from compactlm.figures.figure import MINIMUM_ROWS, Figure
from compactlm.params import Robustness


class Contestant(Protocol):
    """A model that answers rows."""

    def answers(self, rows: Sequence[Any]) -> Any:
        """Return the answers to rows; see Kind.answers."""
        ...


def choose_rows(ids: Sequence[str], count: int, seed: int) -> list[int]:
    """Return the positions of up to `count` rows, drawn by (seed, id), sorted by id."""
    drawn = draw_items(range(len(ids)), count, "robustness", seed, key=lambda at: ids[at])
    return sorted(drawn, key=lambda at: ids[at])


def robustness(answers: Answers, contestants: Mapping[str, Contestant], settings: Robustness, resampler: Resampler) -> dict[str, object]:
    """Return how much of its metric each model keeps under each perturbation and strength.

    The resampler's seed draws the rows and the perturbations. The perturbation of a row does not depend on other rows. A row is not
    perturbed if its labels would not fit the new text.

    Returns:
        `rows`. For each perturbation and strength, the share of texts that changed and, for each model, `kept`: the task's metric on the
        perturbed rows divided by the metric on the unchanged rows. `all` is the same over all perturbations, and `worst` is each model's
        lowest value.
    """
    chosen, seed, kind = choose_rows(answers.ids, settings.rows, resampler.seed), resampler.seed, answers.kind
    clean = answers.some(chosen)
    texts = [kind.editable(row) for row in clean.rows]
    ratios = {role: _Ratio.of(clean, role, resampler) for role in ROLES}
    found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in PERTURBATIONS}
    kept: dict[str, list[Figure]] = {role: [] for role in ROLES}
    for strength, words in settings.strengths:
        rewriters = make_perturbations(words)
        for name in PERTURBATIONS:
            perturbed = perturb(texts, clean.ids, name, rewriters[name], strength, seed)
            edited = [kind.edited(row, text) for row, text in zip(clean.rows, perturbed, strict=True)]
            rows = tuple(row if new is None else new for row, new in zip(clean.rows, edited, strict=True))
            changed = float(np.mean([kind.editable(new) != text for new, text in zip(rows, texts, strict=True)]))
            found[name][strength] = {"changed": changed}
            for role in ROLES:
                said = Answers(answers.task, rows, {role: contestants[role].answers(rows)}, answers.settings)
                kept[role].append(ratios[role].add(said, role))
                found[name][strength][role] = {"kept": kept[role][-1]}
    return {
        "rows": len(chosen),
        "perturbations": found,
        "all": {role: {"kept": ratios[role].of_all()} for role in ROLES},
        "worst": {role: {"kept": min(kept[role], key=lambda figure: figure.value or 0.0)} for role in ROLES},
    }


@dataclasses.dataclass
class _Ratio:
    """The metric on perturbed rows relative to the metric on the unchanged rows, and the sum over perturbations.

    If the metric is a share of right answers, the arrays have one number per row. For other metrics they have the number of all rows and
    then one number per resample.
    """

    clean: Array
    by_rows: bool
    resampler: Resampler
    about: dict[str, Any]
    total: Array
    cases: int = 0

    @classmethod
    def of(cls, clean: Answers, role: str, resampler: Resampler) -> _Ratio:
        measured = _measured(clean, role, resampler)
        about = {"rows": len(clean.rows), "rows_needed": MINIMUM_ROWS, "limit": KEPT if role == "student" else None}
        return cls(measured, clean.by_rows, resampler, about, np.zeros_like(measured))

    def add(self, said: Answers, role: str) -> Figure:
        """Add a case, and return the share that is kept in it."""
        measured = _measured(said, role, self.resampler)
        self.total += measured
        self.cases += 1
        return self._figure(measured)

    def of_all(self) -> Figure:
        """Return the share that is kept in the mean over all cases."""
        return self._figure(self.total / self.cases)

    def _figure(self, measured: Array) -> Figure:
        if self.by_rows:
            return self.resampler.ratio(measured, self.clean, **self.about)
        shares = ratio(measured, self.clean)
        return self.resampler.figure(float(shares[0]), shares[1:], **self.about)


def _measured(answers: Answers, role: str, resampler: Resampler) -> Array:
    if answers.by_rows:
        return answers.right(role)
    rows, metric = len(answers.rows), answers.task.metric
    once = answers.measure(role, np.ones((1, rows)))[metric]
    return np.concatenate([once, *(answers.measure(role, weights)[metric] for weights in resampler.draw(np.ones(rows)))])
