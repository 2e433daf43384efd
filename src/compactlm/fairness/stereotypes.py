"""Stereotypes of a masked language model: which group's word it prefers beside an occupation, on pairs of sentences from templates.

The two sentences of a pair differ in one word (Nangia et al. 2020, https://arxiv.org/abs/2010.00133); each list of occupations is as
long as the other, so a model that always prefers one word scores one half. The gap is free of such a preference altogether: the log
odds of the words beside the one list of occupations, less those beside the other (Kurita et al. 2019, https://arxiv.org/abs/1906.07337).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from compactlm.fairness.bootstrap import Array, Estimate, estimate, ratio, resampled_sums
from compactlm.fairness.model_audit import AMPLIFICATION, STUDENT, TEACHER
from compactlm.params import Bootstrap, StereotypeTemplates

# Sentences with one [MASK], and the words to score in each, to log probabilities: float [sentences, 2], nan for a word that is no piece.
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
    """

    pairs: int
    preference: dict[str, Estimate]
    log_odds_gap: dict[str, Estimate]
    why_not: str | None = None

    def metrics(self) -> dict[str, object]:
        """Return nested numbers, with `judged` (0 or 1)."""
        found: dict[str, object] = {"judged": int(self.why_not is None), "pairs": self.pairs}
        for name, by_role in (("preference", self.preference), ("log_odds_gap", self.log_odds_gap)):
            if by_role:
                found[name] = {key: value for role, known in by_role.items() for key, value in known.metrics(role).items()}
        return found


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
    first = np.array([item.group == items[0].group for item in chosen], np.float64)
    columns = [np.ones(count), first, 1 - first]
    for found in scores.values():
        odds = found[kept, 0] - found[kept, 1]  # of the stereotypical word
        columns += [odds > 0, odds * first, odds * (1 - first)]
    values = np.stack(columns, axis=1).astype(np.float64)
    drawn = resampled_sums(values, [item.occupation for item in chosen], bootstrap, seed)
    return Stereotypes(count, *_figures(values.sum(axis=0)[None], drawn, list(models), bootstrap.confidence))


def _figures(sums: Array, drawn: Array, roles: Sequence[str], confidence: float) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    both = []
    for share in (True, False):
        points, samples = {}, {}
        for at, role in enumerate(roles):
            points[role], samples[role] = (float(_figure(sums, at, share)[0]), _figure(drawn, at, share))
        if {TEACHER, STUDENT} <= set(roles):
            points[AMPLIFICATION] = points[STUDENT] - points[TEACHER]
            samples[AMPLIFICATION] = samples[STUDENT] - samples[TEACHER]
        known = {role: estimate(point, samples[role], confidence) for role, point in points.items()}
        both.append({role: value for role, value in known.items() if value})
    return both[0], both[1]


def _figure(sums: Array, role: int, share: bool) -> Array:
    start = 3 + 3 * role
    if share:
        return ratio(sums[:, start], sums[:, 0])
    # The stereotypical word is the one group's beside the first list and the other's beside the second, so odds add up to the gap.
    return ratio(sums[:, start + 1], sums[:, 1]) + ratio(sums[:, start + 2], sums[:, 2])
