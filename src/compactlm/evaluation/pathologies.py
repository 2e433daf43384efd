"""Models that are broken, whatever their figures say: each finding is one sentence, and ends the stage.

What can happen to a sound model on few rows is not held against it: of so many rows, a model that drew labels as often as they occur
would not say the same of all, or leave a label out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from compactlm.bert.batches import make_batches
from compactlm.bert.models import pad_tensors
from compactlm.errors import CompactLMError
from compactlm.evaluation.task_metrics import Labels
from compactlm.figures.intervals import Array

OTHERS = 5  # rows of other labels, the fewest that a model which predicts one label alone must have missed
OWN = 10  # rows of a label, the fewest by which a model must have learnt that there is such a label
CHANCE = 0.01  # with which a model that draws labels as often as they occur may do as badly
TEXTS = 10  # different texts, the fewest to which a model must give different outputs
SAME = 1e-5  # the greatest difference of probabilities that is none
SAME_WORDS = 1e-4  # mean distance of distributions over words, below which they are one; 50 steps from random weights leave 0.003
COLLAPSED = 0.01  # spread, below which embeddings are one point; the cosine of any two is then above 0.9999

# Undefined by their nature: a single label cannot be ranked, and nothing is kept of nothing.
MAY_BE_UNDEFINED = ("auroc", "retention", "retention_above_chance", "kept")


def refuse(findings: Sequence[str]) -> None:
    """Raise CompactLMError with all findings in a sentence, where there are any."""
    if findings:
        raise CompactLMError("; ".join(findings))


def _mend(role: str) -> str:
    section = {"teacher": "teacher.fine_tuning", "student": "distill"}[role]
    return f"look at its learning curves, and at learning_rate and epochs under {section} in params.yaml"


def outputs(probabilities: Array, expected: Labels, labels: Sequence[str], role: str, task: str) -> Iterator[str]:
    """Yield what is wrong with a classifier's outputs for the test rows.

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
        yield f"{who} gives {broken:,} of {rows:,} test rows an output that is not a finite number; {_mend(role)}"
        return
    if rows >= TEXTS and np.ptp(probabilities, axis=0).max() < SAME:
        yield f"{who} gives all {rows:,} test rows the same output, whatever they say; {_mend(role)}"
        return
    predicted = probabilities.argmax(axis=1)
    first = int(predicted[0])
    others = int((expected != first).sum())
    if len(np.unique(predicted)) == 1 and others >= OTHERS and (1 - others / rows) ** rows < CHANCE:
        yield f"{who} predicts {labels[first]!r} for all {rows:,} test rows, though {others:,} have another label; {_mend(role)}"
        return
    for label, name in enumerate(labels):
        count = int((expected == label).sum())
        if label not in predicted and count >= OWN and (1 - count / rows) ** rows < CHANCE:
            yield f"{who} never predicts {name!r}, though {count:,} of {rows:,} test rows have that label; {_mend(role)}"


def embed(body: Any, sequences: Sequence[Sequence[int]], padding: int, batch_tokens: int) -> Array:
    """Return the mean of each sequence's last hidden states, float64 [sequences, hidden size]."""
    body.eval()
    found = np.zeros((len(sequences), body.config.hidden_size))
    for rows in make_batches([len(sequence) for sequence in sequences], batch_tokens, None):
        input_ids, attention_mask = pad_tensors([sequences[row] for row in rows], padding)
        with torch.inference_mode():
            hidden = body(input_ids.to(body.device), attention_mask=attention_mask.to(body.device)).last_hidden_state.double().cpu()
        found[rows] = ((hidden * attention_mask[..., None]).sum(dim=1) / attention_mask.sum(dim=1, keepdim=True)).numpy()
    return found


def spread(embeddings: Array) -> float:
    """Return how far embeddings lie from their mean, as a share of their length (both root mean squares): 0 for a point, 1 at most."""
    length = np.square(embeddings).sum(axis=1).mean()
    distance = np.square(embeddings - embeddings.mean(axis=0)).sum(axis=1).mean()
    return float(math.sqrt(distance / length)) if length > 0 else 0.0


def collapse(found: float, texts: int, role: str, name: str) -> Iterator[str]:
    """Yield a sentence where embeddings of so many different texts have nearly no spread, or one that is not finite."""
    if not math.isfinite(found):
        yield f"the {role}'s model {name} embeds text to vectors that are not finite numbers; {_mend(role)}"
    elif texts >= TEXTS and found < COLLAPSED:
        yield f"the {role}'s model {name} embeds {texts:,} different texts to one point (spread {found:.1g}); {_mend(role)}"


def distance(distributions: NDArray[np.float32]) -> float:
    """Return how far distributions, [places, words], lie from their mean: the mean total variation, 0 for equal ones, below 1.

    Of the likeliest word alone nothing can be concluded: a barely trained model may name the most frequent word everywhere, while
    the rest of what it says depends on the text.
    """
    return float(np.abs(distributions - distributions.mean(axis=0)).sum(axis=1, dtype=np.float64).mean() / 2)


def same_words(found: float, places: int, role: str) -> Iterator[str]:
    """Yield a sentence where a masked language model says the same at so many masked places, or something that is not finite."""
    if not math.isfinite(found):
        yield f"the {role}'s masked language model gives probabilities that are not finite numbers; {_mend(role)}"
    elif places >= TEXTS and found < SAME_WORDS:
        yield f"the {role}'s masked language model says the same of all {places:,} masked words, whatever surrounds them; {_mend(role)}"


def figures_that_are_not_finite(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence where a figure that every sound model has is not a finite number."""
    bad = sorted(_bad(metrics, ""))
    if bad:
        more = f" and {len(bad) - 1} others" if len(bad) > 1 else ""
        yield f"the figure {bad[0]}{more} of the evaluation is not a finite number; look at the models' outputs in data/predictions"


def _bad(metrics: Mapping[str, Any], path: str, judged: bool = True) -> Iterator[str]:
    """Yield what is not finite; a mark holds for all below it that has none of its own."""
    judged = bool(metrics.get("judged", judged))
    for key, value in metrics.items():
        if key in MAY_BE_UNDEFINED:
            continue
        if isinstance(value, Mapping):
            yield from _bad(value, f"{path}{key}.", judged)
        elif judged and isinstance(value, float) and not math.isfinite(value):
            yield f"{path}{key}"
