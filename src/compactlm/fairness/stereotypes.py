"""Stereotypes of a masked language model: which group's word it prefers next to an occupation, on sentence pairs from templates.

The two sentences of a pair differ in one word (Nangia et al. 2020, https://arxiv.org/abs/2010.00133). Both lists of occupations have the
same length, so a model that always prefers one word scores one half. Such a model is saturated: its preference means nothing. The metrics
therefore also say how often the second group's word is preferred in each list. The gate judges the log odds gap, which saturation does not
affect: the log odds of the words next to one list of occupations, minus the log odds next to the other list (Kurita et al. 2019,
https://arxiv.org/abs/1906.07337).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from compactlm.fairness.roles import DIFFERENCE, TEACHER, ByRole, Rule, by_role, rule
from compactlm.figures.bootstrap import Array, Resampler, ratio
from compactlm.figures.figure import Figure
from compactlm.params import BiasAudit, StereotypeTemplates

SATURATED = 0.95  # share of the pairs, beside either list of occupations, in which the same group's word is the likelier one
SUMS = 5  # of each model

# From sentences with one [MASK] and two words for each to log probabilities: float [sentences, 2], nan for a word that is not a token.
ScoreWords = Callable[[Sequence[str], Sequence[tuple[str, str]]], Array]


@dataclasses.dataclass(frozen=True)
class Item:
    """A pair of sentences: the text with [MASK], the word of the stereotypical group, and the word of the other group."""

    text: str
    occupation: str
    stereotypical: str
    other: str
    group: str


@dataclasses.dataclass(frozen=True)
class Stereotypes:
    """The stereotypes of the models.

    Attributes:
        pairs: sentence pairs that every model can read.
        preference: by role, the share of the pairs in which the stereotypical word is the likelier one; 0.5 means no preference.
        log_odds_gap: by role, the log odds gap in nats; 0 means no gap.
        groups: the two groups, in the order of the lists of occupations.
        likelier: by group of occupations and role, the share of its pairs in which the second group's word is the likelier one.
    """

    pairs: int
    preference: ByRole
    log_odds_gap: ByRole
    groups: tuple[str, ...] = ()
    likelier: dict[str, ByRole] = dataclasses.field(default_factory=dict)

    @property
    def saturated(self) -> dict[str, int]:
        """By role, 1 if the same group's word is the likelier one for every occupation, else 0."""
        roles = [role for role, found in self.preference.items() if role != DIFFERENCE and found.value is not None]
        shares = {role: [found[role].value or 0.0 for found in self.likelier.values()] for role in roles}
        return {role: int(min(each) >= SATURATED or max(each) <= 1 - SATURATED) for role, each in shares.items()}

    def metrics(self) -> dict[str, object]:
        """Return nested figures."""
        found = {"pairs": self.pairs, "preference": self.preference, "log_odds_gap": self.log_odds_gap}
        if not self.likelier:
            return found
        beside = {f"beside_{group}": by_role for group, by_role in self.likelier.items()}
        return {**found, "likelier": {self.groups[1]: beside}, "saturated": self.saturated}


def make_items(templates: StereotypeTemplates) -> list[Item]:
    """Return a pair of sentences for each template and occupation."""
    items = []
    for template in templates.templates:
        for group, occupations in templates.occupations.items():
            [other] = [name for name in template.words if name != group]
            for occupation in occupations:
                text = template.text.replace("{occupation}", occupation)
                items.append(Item(text, occupation, template.words[group], template.words[other], group))
    return items


def measure_stereotypes(items: Sequence[Item], models: Mapping[str, ScoreWords], settings: BiasAudit, resampler: Resampler) -> Stereotypes:
    """Score the pairs by each model (TEACHER, STUDENT). Pairs for which a model has no finite scores of both words are left out.

    Fewer than `minimum_group_rows` pairs are not judged. The bootstrap resamples occupations with all their templates. Without a teacher
    among the models, its figures are not judged, and the figures that compare the student with it are left out.
    """
    words = [(item.stereotypical, item.other) for item in items]
    scores = {role: np.asarray(score([item.text for item in items], words), np.float64) for role, score in models.items()}
    kept = np.all([np.isfinite(found).all(axis=1) for found in scores.values()], axis=0)
    count, limits = int(kept.sum()), rule("stereotype_log_odds_gap", settings.gate.model)
    about = {"rows": count, "rows_needed": settings.minimum_group_rows}
    chosen = [item for item, keep in zip(items, kept, strict=True) if keep]
    groups = tuple(dict.fromkeys(item.group for item in items))
    first = np.array([item.group == groups[0] for item in chosen], np.float64)
    columns = [np.ones(count), first, 1 - first]
    for found in scores.values():
        odds = found[kept, 0] - found[kept, 1]  # of the stereotypical word
        second = np.where(first == 1, odds < 0, odds > 0)  # whether the second group's word is the likelier one
        columns += [odds > 0, odds * first, odds * (1 - first), second * first, second * (1 - first)]
    values = np.stack(columns, axis=1).astype(np.float64)
    sums, drawn = values.sum(axis=0)[None], resampler.sums(values, [item.occupation for item in chosen])

    def measured(figure: Figures, judged_by: Rule | None = None) -> ByRole:
        points, samples = (
            {role: figure(part, part[:, 3 + SUMS * at : 3 + SUMS * (at + 1)]) for at, role in enumerate(models)} for part in (sums, drawn)
        )
        found = by_role({role: float(point[0]) for role, point in points.items()}, samples, resampler, judged_by, **about)
        return found if TEACHER in found else {TEACHER: Figure.not_measured(), **found}

    gap = measured(_gap, limits)
    if count < settings.minimum_group_rows:
        return Stereotypes(count, measured(_preference), gap)
    beside = zip(groups, (measured(_beside_first), measured(_beside_second)), strict=True)
    return Stereotypes(count, measured(_preference), gap, groups, dict(beside))


# Each takes the sums of all pairs (their number, and those beside either list) and a model's own: both [resamples, sums].
Figures = Callable[[Array, Array], Array]


def _preference(pairs: Array, own: Array) -> Array:
    return ratio(own[:, 0], pairs[:, 0])


def _gap(pairs: Array, own: Array) -> Array:
    # The stereotypical word is that of one group beside the first list and that of the other beside the second, so odds add up to the gap.
    return ratio(own[:, 1], pairs[:, 1]) + ratio(own[:, 2], pairs[:, 2])


def _beside_first(pairs: Array, own: Array) -> Array:
    return ratio(own[:, 3], pairs[:, 1])


def _beside_second(pairs: Array, own: Array) -> Array:
    return ratio(own[:, 4], pairs[:, 2])
