"""Apply filters to a shard of documents."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import pyarrow as pa
from pydantic import TypeAdapter

from compactlm.corpus.clean.filters.base import Chain, Dropped
from compactlm.corpus.clean.filters.composing import filters_from
from compactlm.corpus.clean.filters.personal.masking import count_masked
from compactlm.corpus.clean.targets import COLUMNS, TextCleaner, Texts
from compactlm.params import FilterSettings
from compactlm.params.filters import Length
from compactlm.shards.reports import DropCounter, Report
from compactlm.shards.shards import ShardStep

_REMEMBERED = 10_000  # texts
_LISTED = TypeAdapter(list[FilterSettings])


@dataclasses.dataclass(frozen=True, slots=True)
class CleanShard(ShardStep):
    """Applies filters to a shard in order. For each source and reason, `samples` dropped rows are drawn by the seed and shown.

    The queries of a row pass the same filters, except the filters of length, because a question is much shorter than its passage. The
    length of a pair is the length of its longer text.
    """

    filters: tuple[FilterSettings, ...]
    seed: int
    samples: int

    def prepare(self) -> None:
        """Load the models of the filters, which takes a second."""
        self._chains()

    def _chains(self) -> tuple[Chain, Chain]:
        """Return the filters of texts and the filters of queries."""
        of_queries: list[FilterSettings] = [one for one in self.filters if not isinstance(one, Length)]
        return _chain(_LISTED.dump_json(list(self.filters))), _chain(_LISTED.dump_json(of_queries))

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return the kept rows in their order with cleaned texts, and a report of dropped rows and masked items."""
        chain, of_queries = self._chains()
        if not set(COLUMNS).isdisjoint(table.column_names):
            return self._with_targets(table)
        names, sources, texts = (table[column].to_pylist() for column in ("id", "source", "text"))
        kept, cleaned = [], []
        dropped = DropCounter(self.seed, self.samples)
        masked: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for index, (name, source, text) in enumerate(zip(names, sources, texts, strict=True)):
            result = chain(text)
            if isinstance(result, Dropped):
                dropped.add(source, result.reason, name, text)
                continue
            kept.append(index)
            cleaned.append(result)
            if "[" in result:
                masked[source].update(count_masked(text, result))
        rows = _replaced(table.take(pa.array(kept, pa.int64())), "text", cleaned)
        return self._queries(rows, of_queries, dropped, masked)

    def _with_targets(self, table: pa.Table) -> tuple[pa.Table, Report]:
        chain, of_queries = self._chains()
        clean = TextCleaner(chain, functools.lru_cache(_REMEMBERED)(of_queries))  # passages and words occur again and again
        columns = [name for name in ("text", *COLUMNS) if name in table.column_names]
        kept, cleaned = [], []
        dropped = DropCounter(self.seed, self.samples)
        masked: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for index, row in enumerate(table.select(["id", "source", *columns]).to_pylist()):
            name, source = row.pop("id"), row.pop("source")
            before = Texts(**row)
            result = clean(before)
            if isinstance(result, Dropped):
                dropped.add(source, result.reason, name, before.text)
                continue
            kept.append(index)
            cleaned.append(result)
            for old, new in ((before.text, result.text), (before.pair, result.pair)):
                if new is not None and "[" in new:
                    masked[source].update(count_masked(old or "", new))
        rows = table.take(pa.array(kept, pa.int64()))
        for column in columns:
            rows = _replaced(rows, column, [getattr(texts, column) for texts in cleaned])
        return self._queries(rows, of_queries, dropped, masked)

    def _queries(
        self, rows: pa.Table, of_queries: Chain, dropped: DropCounter, masked: defaultdict[str, Counter[str]]
    ) -> tuple[pa.Table, Report]:
        if "queries" not in rows.column_names:
            return rows, dropped.report(masked=masked)
        queries: list[list[str]] = []
        lost: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for source, before in zip(rows["source"].to_pylist(), rows["queries"].to_pylist(), strict=True):
            queries.append(_clean_queries(before, of_queries, masked[source], lost[source]))
        return _replaced(rows, "queries", queries), dropped.report(masked=masked, queries=lost)


def _replaced(table: pa.Table, name: str, values: Sequence[object]) -> pa.Table:
    place, field = table.schema.get_field_index(name), table.schema.field(name)
    return table.set_column(place, field, pa.array(values, field.type)).replace_schema_metadata(table.schema.metadata)


def _clean_queries(queries: Iterable[str], chain: Chain, masked: Counter[str], lost: Counter[str]) -> list[str]:
    kept = set()
    for query in queries:
        result = chain(query)
        if isinstance(result, Dropped) or not result:
            lost["dropped"] += 1
        else:
            kept.add(result)
            masked.update(count_masked(query, result))
    return sorted(kept)


@functools.cache
def _chain(listed: bytes) -> Chain:
    # Cached because the language model takes a second to load in each process.
    return Chain(filters_from(_LISTED.validate_json(listed)))
