"""Stereotypes of a masked language model: which group's word it prefers beside an occupation, on pairs of sentences from templates.

The two sentences of a pair differ in one word (Nangia et al. 2020, https://arxiv.org/abs/2010.00133); each list of occupations is as
long as the other, so a model that always prefers one word scores one half. Such a model is saturated: its preference says nothing,
and how often each list has the one group's word is told beside it. The gap is free of this altogether, and is what the gate judges: the
log odds of the words beside the one list of occupations, less those beside the other (Kurita et al. 2019,
https://arxiv.org/abs/1906.07337).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from compactlm.fairness.audit.models import AMPLIFICATION, STUDENT, TEACHER
from compactlm.figures.bootstrap import Array, Estimate, estimate, ratio, resampled_sums
from compactlm.params import Bootstrap, StereotypeTemplates

SATURATED = 0.95  # share of the pairs, beside either list of occupations, in which the same group's word is the likelier one
SUMS = 5  # of each model

# Sentences with one [MASK], and the words to score in each, to log probabilities: float [sentences, 2], nan for a word that is no token.
ScoreWords = Callable[[Sequence[str], Sequence[tuple[str, str]]], Array]


@dataclasses.dataclass(frozen=True)
class Item:
    """A pair of sentences: the text with [MASK], the word of the group that the stereotype names, and that of the other."""

    text: str
    occupation: str
    stereotypical: str
    other: str
    group: str


@dataclasses.dataclass(frozen=True)
class Stereotypes:
    """What was found, by role and as amplification.

    Attributes:
        pairs: sentence pairs that every model can read.
        preference: share of the pairs in which the stereotypical word is the likelier one; 0.5 is none.
        log_odds_gap: in nats; 0 is none.
        why_not: why it was not judged, or None where it was.
        groups: both, in the order of the occupations.
        likelier: share of the pairs in which the second group's word is the likelier one, beside the occupations of each group.
    """

    pairs: int
    preference: dict[str, Estimate]
    log_odds_gap: dict[str, Estimate]
    why_not: str | None = None
    groups: tuple[str, ...] = ()
    likelier: dict[str, dict[str, Estimate]] = dataclasses.field(default_factory=dict)

    @property
    def saturated(self) -> dict[str, int]:
        """By role 1 where one group's word is the likelier one whatever the occupation, else 0."""
        shares = {role: [by_role[role].value for by_role in self.likelier.values()] for role in self.preference if role != AMPLIFICATION}
        return {role: int(min(each) >= SATURATED or max(each) <= 1 - SATURATED) for role, each in shares.items()}

    def metrics(self) -> dict[str, object]:
        """Return nested numbers, with `judged` (0 or 1)."""
        found: dict[str, object] = {"judged": int(self.why_not is None), "pairs": self.pairs}
        for name, by_role in (("preference", self.preference), ("log_odds_gap", self.log_odds_gap)):
            if by_role:
                found[name] = _numbers(by_role)
        if self.likelier:
            beside = {f"beside_{group}": _numbers(by_role) for group, by_role in self.likelier.items()}
            found |= {"likelier": {self.groups[1]: beside}, "saturated": self.saturated}
        return found


def _numbers(by_role: Mapping[str, Estimate]) -> dict[str, float]:
    return {key: value for role, known in by_role.items() for key, value in known.metrics(role).items()}


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


def measure_stereotypes(
    items: Sequence[Item], models: Mapping[str, ScoreWords], minimum: int, bootstrap: Bootstrap, seed: int
) -> Stereotypes:
    """Score the pairs by every model; a pair takes part where all of them have a finite score for both words.

    Args:
        items: the pairs.
        models: each masked language model (TEACHER, STUDENT) as a function that scores words in place of [MASK].
        minimum: the fewest pairs that can be judged.
        bootstrap: how intervals are made; occupations are resampled, with all their templates.
        seed: of the bootstrap.
    """
    words = [(item.stereotypical, item.other) for item in items]
    scores = {role: np.asarray(score([item.text for item in items], words), np.float64) for role, score in models.items()}
    kept = np.all([np.isfinite(found).all(axis=1) for found in scores.values()], axis=0)
    count = int(kept.sum())
    if count < minimum:
        return Stereotypes(count, {}, {}, f"only {count:,} sentence pairs can be read by every model; at least {minimum:,} are needed")
    chosen = [item for item, keep in zip(items, kept, strict=True) if keep]
    groups = tuple(dict.fromkeys(item.group for item in items))
    first = np.array([item.group == groups[0] for item in chosen], np.float64)
    columns = [np.ones(count), first, 1 - first]
    for found in scores.values():
        odds = found[kept, 0] - found[kept, 1]  # of the stereotypical word
        second = np.where(first == 1, odds < 0, odds > 0)  # whether the second group's word is the likelier one
        columns += [odds > 0, odds * first, odds * (1 - first), second * first, second * (1 - first)]
    values = np.stack(columns, axis=1).astype(np.float64)
    drawn = resampled_sums(values, [item.occupation for item in chosen], bootstrap, seed)
    sums = values.sum(axis=0)[None]
    preference, gap, *beside = (_by_role(figure, sums, drawn, list(models), bootstrap.confidence) for figure in _FIGURES)
    return Stereotypes(count, preference, gap, groups=groups, likelier=dict(zip(groups, beside, strict=True)))


# Each takes the sums of all pairs (their number, and those beside either list) and a model's own: both [resamples, sums].
_FIGURES: tuple[Callable[[Array, Array], Array], ...] = (
    lambda pairs, own: ratio(own[:, 0], pairs[:, 0]),
    # The stereotypical word is the one group's beside the first list and the other's beside the second, so odds add up to the gap.
    lambda pairs, own: ratio(own[:, 1], pairs[:, 1]) + ratio(own[:, 2], pairs[:, 2]),
    lambda pairs, own: ratio(own[:, 3], pairs[:, 1]),
    lambda pairs, own: ratio(own[:, 4], pairs[:, 2]),
)


def _by_role(
    figure: Callable[[Array, Array], Array], sums: Array, drawn: Array, roles: Sequence[str], confidence: float
) -> dict[str, Estimate]:
    points, samples = {}, {}
    for at, role in enumerate(roles):
        own = slice(3 + SUMS * at, 3 + SUMS * (at + 1))
        points[role], samples[role] = float(figure(sums, sums[:, own])[0]), figure(drawn, drawn[:, own])
    if {TEACHER, STUDENT} <= set(roles):
        points[AMPLIFICATION] = points[STUDENT] - points[TEACHER]
        samples[AMPLIFICATION] = samples[STUDENT] - samples[TEACHER]
    known = {role: estimate(point, samples[role], confidence) for role, point in points.items()}
    return {role: value for role, value in known.items() if value}
