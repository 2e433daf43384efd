"""Cleaning of a shard: every text through the filters, every dropped row counted by source and reason, some shown."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter, defaultdict

import pyarrow as pa
from pydantic import TypeAdapter

from compactlm.corpus.clean.filters.base import Chain, Dropped
from compactlm.corpus.clean.filters.composing import filters_from
from compactlm.corpus.clean.filters.personal import count_masked
from compactlm.corpus.clean.samples import drawn, smallest_samples
from compactlm.params import FilterSettings
from compactlm.shards.shards import Counts, Report

_LISTED = TypeAdapter(list[FilterSettings])


@dataclasses.dataclass(frozen=True, slots=True)
class CleanShard:
    """Cleans a shard by a list of filters.

    Attributes:
        filters: the settings of the filters, in order.
        seed: draws the dropped rows that are shown.
        samples: how many dropped rows are shown for each source and reason.
    """

    filters: tuple[FilterSettings, ...]
    seed: int
    samples: int

    def parameters(self) -> dict[str, object]:
        """Return all that the result depends on, as what JSON can hold."""
        return {"filters": _LISTED.dump_python(list(self.filters)), "seed": self.seed, "samples": self.samples}

    def prepare(self) -> None:
        """Load what the filters need, which takes a second."""
        _chain(_LISTED.dump_json(list(self.filters)))

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return the rows that are kept, in their order, with their texts cleaned, and what was dropped and masked."""
        chain = _chain(_LISTED.dump_json(list(self.filters)))
        names, sources, texts = (table[column].to_pylist() for column in ("id", "source", "text"))
        kept, cleaned = [], []
        dropped: defaultdict[str, Counter[str]] = defaultdict(Counter)
        masked: defaultdict[str, Counter[str]] = defaultdict(Counter)
        samples: defaultdict[str, list[list[str]]] = defaultdict(list)
        for index, (name, source, text) in enumerate(zip(names, sources, texts, strict=True)):
            result = chain(text)
            if isinstance(result, Dropped):
                dropped[source][result.reason] += 1
                samples[f"{source} {result.reason}"].append(drawn(self.seed, name, text))
                continue
            kept.append(index)
            cleaned.append(result)
            if "[" in result:
                masked[source].update(count_masked(text, result))
        place, field = table.schema.get_field_index("text"), table.schema.field("text")
        others = table.remove_column(place).take(pa.array(kept, pa.int64()))
        rows = others.add_column(place, field, pa.array(cleaned, pa.string())).replace_schema_metadata(table.schema.metadata)
        return rows, Report(_plain(dropped), _plain(masked), smallest_samples([samples], self.samples))


@functools.cache
def _chain(listed: bytes) -> Chain:
    # Made once a process: the language model takes a second to load.
    return Chain(filters_from(_LISTED.validate_json(listed)))


def _plain(counts: dict[str, Counter[str]]) -> Counts:
    return {source: dict(sorted(counter.items())) for source, counter in sorted(counts.items()) if counter}
