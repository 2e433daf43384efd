"""The decisions about duplicates: which rows to drop, and which queries the kept rows inherit from dropped rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from compactlm.artifacts import QUERIES, replacing
from compactlm.shards.shards import ROW_GROUP

SCHEMA = pa.schema([("id", pa.string()), ("reason", pa.string()), ("queries", QUERIES.type)])


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """By row id, the reason to drop a row, or the new queries of a kept row."""

    reasons: dict[str, str] = dataclasses.field(default_factory=dict)
    queries: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def inherit(self, group: Sequence[Mapping[str, Any]]) -> None:
        """Give the queries of a group's dropped rows to the kept row; if several rows are kept, to the one with the smallest id.

        The rows have the columns `id`, `queries` and `home`, the number of their split. Queries do not move to another split. If no row is
        kept, the queries are dropped, too.
        """
        heir = min((row for row in group if row["id"] not in self.reasons), key=lambda row: row["id"], default=None)
        if heir is None:
            return
        given = [query for row in group if row["id"] in self.reasons and row["home"] == heir["home"] for query in row["queries"]]
        queries = sorted({*heir["queries"], *given})
        if queries != heir["queries"]:
            self.queries[heir["id"]] = queries

    def write(self, path: Path) -> None:
        """Write the judgement to a Parquet file, sorted by id. A row has either a reason or queries."""
        rows = [{"id": name, "reason": self.reasons.get(name), "queries": self.queries.get(name)} for name in self._names()]
        with replacing(path) as unfinished:
            pq.write_table(pa.Table.from_pylist(rows, SCHEMA), unfinished, compression="zstd", row_group_size=ROW_GROUP)

    def _names(self) -> Iterable[str]:
        return sorted(self.reasons.keys() | self.queries.keys())
