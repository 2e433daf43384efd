"""The lines that `compactlm blind` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compactlm.blind.judge import Told
from compactlm.blind.scores import verdict
from compactlm.figures.numbers import count, interval, percent, plain, probability, words

TITLES = {"right": ("which is right?", "the student in"), "teacher": ("which is the teacher's?", "found in")}


def score_lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines about the result of `scores.score`."""
    yield f"{count(found['pairs'])} pairs, {count(found['repeats'])} of them twice; margin {100 * found['margin']:g} points around 50 %"
    for question, (title, counted) in TITLES.items():
        part = found[question]
        rate = part["share"]
        yield ""
        yield title
        value = f"{counted} {interval(rate, percent)} of {count(rate.rows)} decided pairs" if rate.rows else "0 decided pairs"
        yield f"  {value}, {count(part['undecided'])} undecided: {verdict(rate)}"
        for judge, same in part["self_agreement"].items():
            yield f"  self-agreement of {judge}: {_of_pairs(same)}"
        for judges, kappa in part["kappa"].items():
            yield f"  Cohen's kappa of {judges}: {plain(kappa, 2)}"


def told_line(task: str, told: Told) -> str:
    """Return the line about a task's classifier judge."""
    chance = f"{plain(told.chance_low)} to {plain(told.chance_high)}"
    result = "told apart" if told.told else "not told apart"
    return (
        f"{words(task)}: area under the ROC curve {plain(told.auc)} on {count(told.rows)} test rows; by chance {chance} "
        f"({probability(told.p)}): {result}"
    )


def _of_pairs(same: Any) -> str:
    return f"{interval(same, percent)} of {count(same.rows)} repeated pairs" if same.rows else "no pair was judged twice"
