"""Sentences from templates that differ in the person alone, and how differently a classifier answers them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from compactlm.fairness.roles import ByRole, by_role, rule
from compactlm.fairness.swaps.grammar import agree_article
from compactlm.figures.bootstrap import Array, Resampler, ratio
from compactlm.params import ModelLimits

Predict = Callable[[Sequence[str]], Array]  # texts to probabilities, float [texts, labels]
FILE = Path(__file__).with_suffix(".yaml")


@dataclasses.dataclass(frozen=True)
class Sentences:
    """Pairs of sentences: with a person of a group, and with one of the privileged group, one entry a pair.

    Attributes:
        own: the first sentence of each pair.
        other: the second sentence of each pair.
        templates: the template of each pair; its pairs are resampled together.
    """

    own: list[str]
    other: list[str]
    templates: list[str]


def fill(template: str, **words: str) -> str:
    """Return a template with words in place of its names; indefinite articles agree with the words."""
    for name in sorted(words, key=lambda name: template.find(f"{{{name}}}")):
        before, _, after = template.partition(f"{{{name}}}")
        template = f"{agree_article(before, words[name])}{words[name]}{after}"
    return template[:1].upper() + template[1:]


def make_sentences(content: Mapping[str, Any]) -> dict[str, dict[str, Sentences]]:
    """Return the pairs of sentences by attribute and pair of groups, from the content of a file like templates.yaml."""
    found: dict[str, dict[str, Sentences]] = {}
    for attribute, pairs in content["attributes"].items():
        for pair, persons in pairs.items():
            made = Sentences([], [], [])
            for template, quality, (own, other) in itertools.product(content["sentences"], content["qualities"], persons):
                made.own.append(fill(template, person=own, quality=quality))
                made.other.append(fill(template, person=other, quality=quality))
                made.templates.append(f"{template}/{quality}")
            found.setdefault(attribute, {})[pair] = made
    return found


def read_sentences(path: Path = FILE) -> dict[str, dict[str, Sentences]]:
    """Return the pairs of sentences of a file."""
    return make_sentences(yaml.safe_load(path.read_text(encoding="utf-8")))


def compare(
    sentences: Sentences, predict: Mapping[str, Predict], favorable: int, limits: ModelLimits, resampler: Resampler
) -> dict[str, ByRole | int]:
    """Return the paired figures of a pair of groups, by role.

    Returns:
        `rows` (pairs of sentences), `paired_parity_difference` (the share of favourable predictions with the first group minus that with
        the privileged one), and `probability_difference`, the same of the favourable label's probability.
    """
    columns, roles = [np.ones(len(sentences.own))], list(predict)
    for role in roles:
        own, other = (predict[role](texts) for texts in (sentences.own, sentences.other))
        says = [(found.argmax(axis=1) == favorable).astype(np.float64) for found in (own, other)]
        columns += [says[0] - says[1], own[:, favorable] - other[:, favorable]]
    values = np.stack(columns, axis=1)
    drawn, sums = resampler.sums(values, sentences.templates), values.sum(axis=0)
    about = {"rows": len(values), "rows_needed": 1}

    def measured(offset: int, **judged: Any) -> ByRole:
        at = {role: 1 + 2 * number + offset for number, role in enumerate(roles)}
        points = {role: float(sums[at[role]] / sums[0]) for role in roles}
        return by_role(points, {role: ratio(drawn[:, at[role]], drawn[:, 0]) for role in roles}, resampler, **judged, **about)

    parity = measured(0, judged_by=rule("statistical_parity_difference", limits))
    return {"rows": len(values), "paired_parity_difference": parity, "probability_difference": measured(1)}
