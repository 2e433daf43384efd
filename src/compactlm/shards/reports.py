"""Reports of the effect of a function on a shard: counts by source, and samples of the dropped texts."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from compactlm.draws import draw_bits

SHOWN_CHARACTERS = 200
LARGE_LOSS = 0.05  # a stage that drops a larger share of a labelled source says so
Counts = dict[str, dict[str, int]]
Samples = dict[str, list[list[str]]]


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """The effect of a function on a shard.

    Attributes:
        dropped: dropped rows, by source and reason.
        masked: masked items in the kept rows, by source and kind.
        samples: some dropped texts, by "source reason". Each has its draw as 16 hexadecimal digits.
        added: added rows, by source and by the step that added them.
        queries: queries of the kept rows that were dropped, by source and reason.
    """

    dropped: Counts = dataclasses.field(default_factory=dict)
    masked: Counts = dataclasses.field(default_factory=dict)
    samples: Samples = dataclasses.field(default_factory=dict)
    added: Counts = dataclasses.field(default_factory=dict)
    queries: Counts = dataclasses.field(default_factory=dict)


def add_counts(parts: Iterable[Mapping[str, Mapping[str, int]]]) -> Counts:
    """Return the sums of counts by source and reason, sorted."""
    total: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for part in parts:
        for source, reasons in part.items():
            for reason, count in reasons.items():
                total[source][reason] += count
    return {source: dict(sorted(reasons.items())) for source, reasons in sorted(total.items())}


class DropCounter:
    """Counts the dropped rows of a shard by source and reason, and keeps `samples` texts for each, drawn by the seed."""

    def __init__(self, seed: int, samples: int) -> None:
        self._seed, self._samples = seed, samples
        self._dropped: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._texts: defaultdict[str, list[list[str]]] = defaultdict(list)

    def add(self, source: str, reason: str, name: str, text: str) -> None:
        """Count a dropped row with the id `name`."""
        self._dropped[source][reason] += 1
        self._texts[f"{source} {reason}"].append([f"{draw_bits('dropped', self._seed, name):016x}", text[:SHOWN_CHARACTERS]])

    def report(self, **counts: Mapping[str, Mapping[str, int]]) -> Report:
        """Return the report of the shard. `counts` are further counts of the report, by name."""
        samples = smallest_samples([self._texts], self._samples)
        return Report(dropped=add_counts([self._dropped]), samples=samples, **{name: add_counts([count]) for name, count in counts.items()})


def shown(text: str) -> str:
    """Return the start of a text on one line, in quotes, for use in a sentence."""
    return repr(" ".join(text.split())[:80])


def smallest_samples(parts: Iterable[Samples], count: int) -> Samples:
    """Return the `count` samples of each kind with the smallest draws, over all parts."""
    together: defaultdict[str, list[list[str]]] = defaultdict(list)
    for part in parts:
        for kind, found in part.items():
            together[kind] += found
    return {kind: sorted(found)[:count] for kind, found in sorted(together.items())} if count else {}
