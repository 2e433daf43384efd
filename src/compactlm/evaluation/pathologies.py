"""Detect broken models, whatever their other figures are. Each finding is one sentence and ends the stage.

A finding needs enough rows. A model that draws labels at random, with their frequencies, must be very unlikely to give all rows the same
answer or to leave a label out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compactlm.errors import CompactLMError
from compactlm.evaluation.paired import Answers
from compactlm.figures.bootstrap import Array
from compactlm.figures.figure import MINIMUM_ROWS, Figure
from compactlm.tasks.label_metrics import Labels

OTHERS = 5  # fewest rows of other labels before "predicts one label only" is a finding
OWN = 10  # fewest rows of a label before "never predicts it" is a finding
CHANCE = 0.01  # greatest probability that a model drawing labels as often as they occur gives the same result
TEXTS = 10  # fewest different texts before "gives all the same output" is a finding
SAME = 1e-5  # probabilities that differ by less are the same
SAME_WORDS = 1e-4  # distributions over words with a smaller mean distance are the same; 50 steps from random weights give 0.003
COLLAPSED = 0.01  # embeddings with a smaller spread are one point; the cosine of any two is then above 0.9999

# These may have no value in a sound model: one label alone cannot be ranked, and a ratio to 0 is undefined.
MAY_BE_UNDEFINED = ("auroc", "retention", "retention_above_chance", "kept", "disparate_impact")


def refuse(findings: Sequence[str]) -> None:
    """Raise CompactLMError with all findings in one sentence, if there are any."""
    if findings:
        raise CompactLMError("; ".join(findings))


def _how_to_fix(role: str) -> str:
    section = {"teacher": "teacher.fine_tuning", "student": "distill"}[role]
    return f"check its learning curves, and learning_rate and epochs under {section} in params.yaml"


def outputs(probabilities: Array, expected: Labels, labels: Sequence[str], role: str, task: str) -> Iterator[str]:
    """Yield the findings about a classifier's outputs for the test rows.

    Args:
        probabilities: float64 [rows, labels].
        expected: label ids [rows].
        labels: names, in the order of the ids.
        role: teacher or student.
        task: its name.
    """
    rows, who = len(expected), f"the {role} of {task}"
    if not np.isfinite(probabilities).all():
        broken = int((~np.isfinite(probabilities).all(axis=1)).sum())
        yield f"{who} gives {broken:,} of {rows:,} test rows an output that is not a finite number; {_how_to_fix(role)}"
        return
    if rows >= TEXTS and np.ptp(probabilities, axis=0).max() < SAME:
        yield f"{who} gives all {rows:,} test rows the same output, whatever the text; {_how_to_fix(role)}"
        return
    predicted = probabilities.argmax(axis=1)
    first = int(predicted[0])
    others = int((expected != first).sum())
    if len(np.unique(predicted)) == 1 and others >= OTHERS and (1 - others / rows) ** rows < CHANCE:
        yield f"{who} predicts {labels[first]!r} for all {rows:,} test rows, though {others:,} have another label; {_how_to_fix(role)}"
        return
    for label, name in enumerate(labels):
        count = int((expected == label).sum())
        if label not in predicted and count >= OWN and (1 - count / rows) ** rows < CHANCE:
            yield f"{who} never predicts {name!r}, though {count:,} of {rows:,} test rows have that label; {_how_to_fix(role)}"


def of_answers(answers: Answers, role: str, name: str) -> Iterator[str]:
    """Yield the findings about a model's answers to the test rows of a task. For tags and spans, only check that outputs are finite."""
    said, rows, who = answers.said[role], len(answers.rows), f"the {role} of {name}"
    if answers.kind.name == "classification":
        yield from outputs(said, answers.expected, answers.task.labels, role, name)
    elif isinstance(said, np.ndarray):
        if not np.isfinite(said).all():
            yield f"{who} gives some of {rows:,} test rows an output that is not a finite number; {_how_to_fix(role)}"
        elif rows >= TEXTS and np.ptp(said, axis=0).max() < SAME:
            yield f"{who} gives all {rows:,} test rows the same output, whatever the text; {_how_to_fix(role)}"


def spread(embeddings: Array) -> float:
    """Return the distance of embeddings from their mean relative to their length (root mean squares), from 0 (all equal) to 1."""
    length = np.square(embeddings).sum(axis=1).mean()
    distance = np.square(embeddings - embeddings.mean(axis=0)).sum(axis=1).mean()
    return float(math.sqrt(distance / length)) if length > 0 else 0.0


def collapse(found: float, texts: int, role: str, name: str) -> Iterator[str]:
    """Yield a sentence if the embeddings of so many different texts have nearly no spread, or a spread that is not finite."""
    if not math.isfinite(found):
        yield f"the {role}'s model {name} embeds text to vectors that are not finite numbers; {_how_to_fix(role)}"
    elif texts >= TEXTS and found < COLLAPSED:
        yield f"the {role}'s model {name} embeds {texts:,} different texts to one point (spread {found:.1g}); {_how_to_fix(role)}"


def distance(distributions: NDArray[np.float32]) -> float:
    """Return the mean total variation distance of distributions [places, words] from their mean, from 0 (all equal) to below 1.

    The likeliest word is not enough to decide: a barely trained model may predict the most frequent word everywhere, although the rest of
    its distribution depends on the text.
    """
    return float(np.abs(distributions - distributions.mean(axis=0)).sum(axis=1, dtype=np.float64).mean() / 2)


def same_words(found: float, places: int, role: str) -> Iterator[str]:
    """Yield a sentence if a masked language model predicts the same distribution for all masked words, or one that is not finite."""
    if not math.isfinite(found):
        yield f"the {role}'s masked language model gives probabilities that are not finite numbers; {_how_to_fix(role)}"
    elif places >= TEXTS and found < SAME_WORDS:
        yield f"the {role}'s masked language model gives all {places:,} masked words the same probabilities; {_how_to_fix(role)}"


def find_missing_figures(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each figure that is not a finite number, among the figures that every sound model has."""
    bad = sorted(_missing(metrics))
    if bad:
        more = f" and {len(bad) - 1} others" if len(bad) > 1 else ""
        yield f"the figure {bad[0]}{more} of the evaluation is not a finite number; check the models' outputs in data/predictions"


def _missing(metrics: Mapping[str, Any], path: str = "", few: bool = False) -> Iterator[str]:
    """Yield the paths of figures that are not finite although they have enough rows. The rows of a plain number are the `rows` above it."""
    few = metrics["rows"] < MINIMUM_ROWS if isinstance(metrics.get("rows"), int) else few
    for key, value in metrics.items():
        if key in MAY_BE_UNDEFINED:
            continue
        if isinstance(value, Mapping):
            yield from _missing(value, f"{path}{key}.", few)
        elif isinstance(value, Figure):
            if value.value is None and (value.rows or 0) >= (value.rows_needed or 1):
                yield f"{path}{key}"
        elif not few and isinstance(value, float) and not math.isfinite(value):
            yield f"{path}{key}"
