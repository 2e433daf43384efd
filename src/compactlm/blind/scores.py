"""Score votes: how often each model is chosen, whether judges agree with themselves and with each other, and a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from sklearn.metrics import cohen_kappa_score

from compactlm.blind.pairs import Key
from compactlm.blind.votes import Votes
from compactlm.figures.bootstrap import CONFIDENCE, share
from compactlm.figures.figure import Figure, Limit, Status

# For each question, the answer whose share is counted.
QUESTIONS = {"right": "student", "teacher": "teacher"}
ANSWERS = ("teacher", "student", "both", "neither")
KAPPA_PAIRS = 2  # the fewest pairs that two judges must share

Choices = Mapping[int, str]  # by the number of the pair: whose side a judge chose, or "both" or "neither"


def score(key: Key, judges: Sequence[Votes]) -> dict[str, Any]:
    """Score the votes of all judges.

    A pair counts once, for the side that most of its judges chose. A tie leaves it undecided. The pairs are therefore independent, as the
    interval assumes (Wilson 1927), even if several judges voted on each. Repeated pairs count only for self-agreement.

    Returns:
        `pairs`, `repeats`, `margin`, and for each question of QUESTIONS a mapping: `share` (the share of decided pairs in which the student
        is right, or in which the teacher's side was found; its limit is 0.5 plus and minus the margin), `undecided` (the number of pairs
        with votes but without a decision), `self_agreement` by judge, and `kappa` by pair of judges (Cohen 1960). Kappa is left out for
        judges who share fewer than KAPPA_PAIRS pairs, or who always gave the same answer.
    """
    repeats = {at: place.repeats for at, place in enumerate(key.pairs) if place.repeats is not None}
    found: dict[str, Any] = {"pairs": len(key.pairs) - len(repeats), "repeats": len(repeats), "margin": key.margin}
    for question, counted in QUESTIONS.items():
        choices = {one.judge: _choices(key, one, question) for one in judges}
        first = {judge: {at: whose for at, whose in own.items() if at not in repeats} for judge, own in choices.items()}
        winners = [_majority([own[at] for own in first.values() if at in own]) for at in sorted(set().union(*first.values()))]
        decided = [winner for winner in winners if winner is not None]
        found[question] = {
            "share": share(decided.count(counted), len(decided), CONFIDENCE, limit=_around_half(key.margin)),
            "undecided": len(winners) - len(decided),
            "self_agreement": {judge: _self_agreement(own, repeats) for judge, own in choices.items()},
            "kappa": dict(_kappas(first)),
        }
    return found


def can_suffice(pairs: int, margin: float) -> bool:
    """Return whether so many pairs can show that models are alike: whether the interval of one half is within the margin."""
    return share(pairs // 2, pairs, CONFIDENCE, limit=_around_half(margin)).status is Status.OK


def verdict(figure: Figure) -> str:
    """Return the verdict that a share allows.

    The models cannot be told apart only if the whole interval is within the margin. An interval that contains one half but reaches beyond
    the margin means that there are too few votes, not that the models are alike.
    """
    if figure.value is None or figure.low is None or figure.high is None:
        return "no pair is decided"
    if figure.status is Status.OK:
        return "cannot be told apart"
    return "told apart" if figure.low > 0.5 or figure.high < 0.5 else "undecided; more votes are needed"


def _around_half(margin: float) -> Limit:
    return Limit(round(0.5 - margin, 9), round(0.5 + margin, 9))


def _choices(key: Key, votes: Votes, question: str) -> Choices:
    return {at: key.pairs[at].whose(getattr(vote, question)) for at, vote in sorted(votes.by_pair().items())}


def _majority(choices: Sequence[str]) -> str | None:
    teacher, student = choices.count("teacher"), choices.count("student")
    return None if teacher == student else "teacher" if teacher > student else "student"


def _self_agreement(own: Choices, repeats: Mapping[int, int]) -> Figure:
    """Return the share of repeated pairs for which a judge chose the same content (not the same side) twice."""
    same = [own[again] == own[first] for again, first in repeats.items() if again in own and first in own]
    return share(sum(same), len(same), CONFIDENCE)


def _kappas(first: Mapping[str, Choices]) -> Iterator[tuple[str, float]]:
    for one, other in combinations(sorted(first), 2):
        shared = sorted(first[one].keys() & first[other].keys())
        left, right = ([first[judge][at] for at in shared] for judge in (one, other))
        if len(shared) >= KAPPA_PAIRS and len({*left, *right}) > 1:
            yield f"{one}, {other}", float(cohen_kappa_score(left, right, labels=ANSWERS))
