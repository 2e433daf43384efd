"""How much of its accuracy a classifier keeps where the same rows are written less carefully."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from compactlm.corpus.augment.perturbation import PERTURBATIONS, make_perturbations, perturb
from compactlm.draws import row_seed
from compactlm.evaluation.comparison import ROLES, Answers
from compactlm.figures.intervals import Array, ratio_interval
from compactlm.figures.judging import judged
from compactlm.params import Robustness


class Classifier(Protocol):
    """Something that gives texts probabilities of labels."""

    def probabilities(self, texts: Sequence[str]) -> Array:
        """Return the probability of each label, [texts, labels]."""
        ...


def choose_rows(ids: Sequence[str], count: int, seed: int) -> list[int]:
    """Return the positions of at most `count` rows, drawn by (seed, id), in the order of their ids."""
    drawn = sorted(range(len(ids)), key=lambda at: (row_seed("robustness", seed, ids[at]), ids[at]))[:count]
    return sorted(drawn, key=lambda at: ids[at])


def robustness(
    answers: Answers, classifiers: Mapping[str, Classifier], settings: Robustness, resamples: int, seed: int
) -> dict[str, object]:
    """Return what each model keeps of its accuracy under each perturbation at each strength.

    Args:
        answers: of both models to the rows as they are.
        classifiers: both models.
        settings: how many rows to perturb, and the shares of their words.
        resamples: of the bootstrap.
        seed: of the draws; a row's perturbation does not depend on the other rows.

    Returns:
        `rows` and `judged`; by perturbation and strength the share of the texts that it changed and, for each model, `kept`,
        accuracy on the perturbed rows over accuracy on the same rows as they are, with its 95 % interval; the same over `all`
        of them together; and the `worst` of each model.
    """
    chosen = choose_rows(answers.ids, settings.rows, seed)
    ids, texts, expected = [answers.ids[at] for at in chosen], [answers.texts[at] for at in chosen], answers.expected[chosen]
    clean = {role: answers.right(role)[chosen] for role in ROLES}
    total = {role: np.zeros(len(chosen)) for role in ROLES}
    found: dict[str, dict[str, dict[str, object]]] = {kind: {} for kind in PERTURBATIONS}
    for strength, words in settings.strengths:
        rewriters = make_perturbations(words)
        for kind in PERTURBATIONS:
            perturbed = perturb(texts, ids, kind, rewriters[kind], strength, seed)
            changed = float(np.mean([one != other for one, other in zip(perturbed, texts, strict=True)]))
            found[kind][strength] = {"changed": changed}
            for role in ROLES:
                right = (classifiers[role].probabilities(perturbed).argmax(axis=1) == expected).astype(np.float64)
                total[role] += right
                found[kind][strength][role] = {"kept": ratio_interval(right, clean[role], resamples, seed).as_metrics()}
    cases = sum(len(strengths) for strengths in found.values())
    return {
        "rows": len(chosen),
        "judged": judged(len(chosen)),
        "perturbations": found,
        "all": {role: {"kept": ratio_interval(total[role] / cases, clean[role], resamples, seed).as_metrics()} for role in ROLES},
        "worst": {role: {"kept": _worst(found, role)} for role in ROLES},
    }


def _worst(found: Mapping[str, Mapping[str, Mapping[str, object]]], role: str) -> dict[str, float]:
    figures: list[dict[str, float]] = [case[role]["kept"] for strengths in found.values() for case in strengths.values()]  # type: ignore[index]
    return min(figures, key=lambda figure: figure["value"])
