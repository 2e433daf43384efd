"""Compare new rows with the reference sample of a task: what has changed, by how much, and how often the test gives false alarms."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.figures.figure import MINIMUM_ROWS, Figure
from compactlm.improvement.describing import SPLIT, UNKNOWN, WORDS, Described, different_words
from compactlm.improvement.drift.accuracy import Accuracy, estimate_accuracy
from compactlm.improvement.drift.classifier import area_interval
from compactlm.improvement.drift.testing import TEXT, Pool, adjusted, draw_labelings
from compactlm.improvement.drift.words import Word, telling_words
from compactlm.improvement.reference import FEWEST_ROWS_A_WORD, Reference
from compactlm.inference.runtime.tokenizer import Tokenizer

LEVEL = 0.02  # the share of unchanged samples in which a change is reported
PERMUTATIONS = 1999
SPLITS = 500  # of the reference rows, for the false-alarm rate
MOST_ROWS = 2000  # new rows that are compared; more are sampled
EXAMPLES = 3  # rows to show
NO_CHANGE, CHANGE, UNDECIDED = 0, 1, 2  # exit statuses, as those of `review`


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a comparison. `level` is the share of unchanged samples for which a change may be reported."""

    level: float = LEVEL
    permutations: int = PERMUTATIONS
    splits: int = SPLITS
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Finding:
    """A statistic of reference rows and of new rows, and its adjusted p-value. `area` is the AUC of the text."""

    name: str
    reference: float | None
    new: float | None
    p: float
    changed: bool
    area: Figure | None = None


@dataclasses.dataclass(frozen=True)
class Watched:
    """The comparison of new rows with the reference sample.

    Attributes:
        status: NO_CHANGE, CHANGE, or UNDECIDED if there are too few rows.
        rows: number of new rows that were compared.
        reference_rows: number of reference rows.
        findings: the statistics.
        false_alarms: the share of random splits of the reference rows for which a change is reported.
        accuracy: the estimated accuracy; None for a task that gives no labels.
        label_shares: the share of each predicted label in reference rows and in new rows.
        words: the words that distinguish new rows from reference rows.
        examples: positions of the new rows that differ most from the reference rows.
    """

    status: int
    rows: int
    reference_rows: int
    findings: tuple[Finding, ...]
    false_alarms: Figure
    accuracy: Accuracy | None
    label_shares: dict[str, tuple[float, float]]
    words: tuple[Word, ...]
    examples: tuple[int, ...]


def watch(
    reference: Reference, new: Described, texts: Sequence[str] | None, tokenizer: Tokenizer, settings: Settings | None = None
) -> Watched:
    """Compare new rows with a reference sample.

    Args:
        reference: the reference sample of the task.
        new: the same model's description of the new rows.
        texts: the texts of the new rows; None if they are not known.
        tokenizer: the tokenizer that divides texts into words.
        settings: how samples are compared.
    """
    settings = settings or Settings()
    generator = np.random.default_rng(settings.seed)
    old, rows = reference.described, len(new)
    pool = Pool.of(old, new, settings.seed)
    observed = pool.statistics(pool.new[None])
    values = adjusted(observed, pool.statistics(draw_labelings(len(pool.new), rows, settings.permutations, generator)))
    findings, examples = _findings(reference, new, pool, {name: float(p[0]) for name, p in values.items()}, settings)
    right, confidence = reference.right, new.confidence
    accuracy = None
    if right is not None and confidence is not None and old.confidence is not None:
        accuracy = estimate_accuracy(old.confidence, right, confidence, settings.seed)
    changed = any(finding.changed for finding in findings)
    judged = min(rows, len(old)) >= MINIMUM_ROWS
    words: list[Word] = []
    if texts is not None:
        counted = Counter(word for text in texts for word in different_words(tokenizer, text))
        words = telling_words(reference.words, len(old), counted, rows, missing=FEWEST_ROWS_A_WORD - 1)
    return Watched(
        status=UNDECIDED if not judged else CHANGE if changed else NO_CHANGE,
        rows=rows,
        reference_rows=len(old),
        findings=findings,
        false_alarms=false_alarm_rate(old, new, settings, generator),
        accuracy=accuracy,
        label_shares=_label_shares(reference, new),
        words=tuple(words),
        examples=examples,
    )


def false_alarm_rate(old: Described, new: Described, settings: Settings, generator: np.random.Generator) -> Figure:
    """Return how often a change is reported if the reference rows are split at random, in the proportion of both samples.

    Data that `new` lacks, such as texts, is left out of the comparison.
    """
    rows, answered = len(old), new.answers is not None
    kept = Described(
        old.vectors if new.vectors is not None else None,
        old.counts,
        old.probabilities if answered else None,
        old.answers if answered else None,
    )
    part = min(max(round(rows * len(new) / (rows + len(new))), 2), rows - 2)
    pool = Pool.of(kept, None, settings.seed)
    null = pool.statistics(draw_labelings(rows, part, settings.permutations, generator))
    found = adjusted(pool.statistics(draw_labelings(rows, part, settings.splits, generator)), null)
    alarms = int((np.min(list(found.values()), axis=0) <= settings.level).sum())
    return wilson(alarms, settings.splits)


def wilson(count: int, total: int) -> Figure:
    """Return a share with its 95 % interval (Wilson 1927)."""
    z, share = 1.959963984540054, count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return Figure.measured(share, max(0.0, middle - half), min(1.0, middle + half), rows=total, rows_needed=MINIMUM_ROWS)


def _findings(
    reference: Reference, new: Described, pool: Pool, values: dict[str, float], settings: Settings
) -> tuple[tuple[Finding, ...], tuple[int, ...]]:
    found: list[Finding] = []
    examples: tuple[int, ...] = ()
    for name, p in values.items():
        changed = p <= settings.level
        if name == TEXT and pool.weights is not None:
            scores = pool.weights @ np.where(pool.new, 1.0, -1.0)
            interval = area_interval(scores[~pool.new], scores[pool.new], settings.seed)
            area = Figure.measured(*interval, rows=len(new), rows_needed=MINIMUM_ROWS)
            found.append(Finding(name, None, area.value, p, changed, area))
            first = len(reference.described)
            own = sorted((-scores[at], pool.order[at] - first) for at in np.flatnonzero(pool.new))
            examples = tuple(int(row) for _, row in own[:EXAMPLES])
        else:
            found.append(Finding(name, _measured(name, reference.described), _measured(name, new), p, changed))
    return tuple(found), examples


def _measured(name: str, described: Described) -> float | None:
    """Return the readable form of a statistic: the share of unknown or split words, or the mean confidence; nothing for labels."""
    columns = {"unknown_words": UNKNOWN, "split_words": SPLIT}
    if name in columns:
        return float(described.counts[:, columns[name]].sum() / max(int(described.counts[:, WORDS].sum()), 1))
    confidence = described.confidence
    return float(confidence.mean()) if name == "confidence" and confidence is not None else None


def _label_shares(reference: Reference, new: Described) -> dict[str, tuple[float, float]]:
    answers = [reference.described.answers, new.answers]
    if any(one is None for one in answers):
        return {}

    def share(given: Array | None, label: int) -> float:
        return 0.0 if given is None else float((given == label).mean())

    return {name: (share(answers[0], at), share(answers[1], at)) for at, name in enumerate(reference.labels)}


def as_metrics(found: Watched) -> dict[str, Any]:
    """Return a comparison as nested metrics with figures. It contains single words, but no other text."""
    findings = {
        one.name: {"reference": one.reference, "new": one.area or one.new, "p": one.p, "changed": one.changed} for one in found.findings
    }
    return {
        "status": found.status,
        "rows": found.rows,
        "reference_rows": found.reference_rows,
        "findings": {name: {key: value for key, value in one.items() if value is not None} for name, one in findings.items()},
        "false_alarms": found.false_alarms,
        "accuracy": _named(found.accuracy) if found.accuracy else {},
        "label_shares": {name: {"reference": old, "new": new} for name, (old, new) in found.label_shares.items()},
        "words": [dataclasses.asdict(word) for word in found.words],
    }


def _named(accuracy: Accuracy) -> dict[str, Figure]:
    # dataclasses.asdict would turn the figures, which are data classes themselves, into mappings that nobody reads as figures.
    return {"reference": accuracy.reference, "estimated": accuracy.estimated, "change": accuracy.change}
