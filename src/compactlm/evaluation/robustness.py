"""How much of its accuracy a classifier keeps when the same rows contain typing errors and other perturbations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from compactlm.corpus.augment.perturbation import PERTURBATIONS, make_perturbations, perturb
from compactlm.draws import draw_items
from compactlm.evaluation.limits import KEPT
from compactlm.evaluation.paired import ROLES, Answers
from compactlm.figures.bootstrap import Array, Resampler
from compactlm.figures.figure import MINIMUM_ROWS, Figure
from compactlm.params import Robustness


class Classifier(Protocol):
    """A model that gives texts probabilities of labels."""

    def probabilities(self, texts: Sequence[str]) -> Array:
        """Return the probability of each label, [texts, labels]."""
        ...


def choose_rows(ids: Sequence[str], count: int, seed: int) -> list[int]:
    """Return the positions of at most `count` rows, drawn by (seed, id), in the order of their ids."""
    drawn = draw_items(range(len(ids)), count, "robustness", seed, key=lambda at: ids[at])
    return sorted(drawn, key=lambda at: ids[at])


def robustness(answers: Answers, classifiers: Mapping[str, Classifier], settings: Robustness, resampler: Resampler) -> dict[str, object]:
    """Return how much of its accuracy each model keeps under each perturbation at each strength.

    The resampler's seed draws the rows and the perturbations. The perturbation of a row does not depend on other rows.

    Returns:
        `rows`; by perturbation and strength the share of the texts that it changed and, for each model, `kept`, the accuracy on the
        perturbed rows divided by the accuracy on the same rows as they are; the same over `all` of them together; and the `worst` of
        each model.
    """
    chosen, seed = choose_rows(answers.ids, settings.rows, resampler.seed), resampler.seed
    ids, texts, expected = [answers.ids[at] for at in chosen], [answers.texts[at] for at in chosen], answers.expected[chosen]
    clean = {role: answers.right(role)[chosen] for role in ROLES}
    total = {role: np.zeros(len(chosen)) for role in ROLES}
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in PERTURBATIONS}
    kept: dict[str, list[Figure]] = {role: [] for role in ROLES}

    def measure(right: Array, role: str) -> Figure:
        return resampler.ratio(right, clean[role], rows_needed=MINIMUM_ROWS, limit=KEPT if role == "student" else None)

    for strength, words in settings.strengths:
        rewriters = make_perturbations(words)
        for kind in PERTURBATIONS:
            perturbed = perturb(texts, ids, kind, rewriters[kind], strength, seed)
            changed = float(np.mean([one != other for one, other in zip(perturbed, texts, strict=True)]))
            found[kind][strength] = {"changed": changed}
            for role in ROLES:
                right = (classifiers[role].probabilities(perturbed).argmax(axis=1) == expected).astype(np.float64)
                total[role] += right
                kept[role].append(measure(right, role))
                found[kind][strength][role] = {"kept": kept[role][-1]}
    cases = sum(len(strengths) for strengths in found.values())
    return {
        "rows": len(chosen),
        "perturbations": found,
        "all": {role: {"kept": measure(total[role] / cases, role)} for role in ROLES},
        "worst": {role: {"kept": min(kept[role], key=lambda figure: figure.value or 0.0)} for role in ROLES},
    }
