"""Mixture weights: how often train contains the rows of each source."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from compactlm.artifacts import derived_id
from compactlm.draws import draw_share

MIXTURE = "mixture"  # the value of augmenter in repeated rows


@dataclasses.dataclass(frozen=True, slots=True)
class Mixture:
    """The numbers of rows that weights left out (by source, and as `labels` by task and label) or added as copies (by source)."""

    left_out: Counter[str] = dataclasses.field(default_factory=Counter)
    repeated: Counter[str] = dataclasses.field(default_factory=Counter)
    labels: Counter[tuple[str | None, str | None]] = dataclasses.field(default_factory=Counter)


def mix(table: pa.Table, weights: Mapping[str, float], seed: int, mixture: Mixture) -> pa.Table:
    """Return each row as often as the weight of its source says, and count the changes in `mixture`.

    A weight of 2.3 gives each row one copy, and three tenths of the rows a second copy. A source without a weight has weight 1. A copy
    has its own id, names the row as its parent, belongs to the same document and has no queries.
    """
    if not weights:
        return table
    names, sources = table["id"].to_pylist(), table["source"].to_pylist()
    times = [_times(name, weights.get(source, 1.0), seed) for name, source in zip(names, sources, strict=True)]
    mixture.left_out.update(source for source, count in zip(sources, times, strict=True) if count == 0)
    labels = zip(table["task"].to_pylist(), table["label"].to_pylist(), strict=True)
    mixture.labels.update(label for label, count in zip(labels, times, strict=True) if count == 0)
    found = [table.filter(pa.array([count > 0 for count in times], pa.bool_()))]
    for copy in range(1, max(times, default=0)):
        again = table.filter(pa.array([count > copy for count in times], pa.bool_()))
        mixture.repeated.update(again["source"].to_pylist())
        found.append(_copies(again, copy))
    return pa.concat_tables(found)


def _times(name: str, weight: float, seed: int) -> int:
    whole = int(weight)
    return whole + (draw_share("mixture", seed, name) < weight - whole)


def _copies(table: pa.Table, number: int) -> pa.Table:
    parents = table["id"].to_pylist()
    columns: dict[str, list[Any]] = {"id": [derived_id(parent, MIXTURE, number) for parent in parents], "parent": parents}
    columns["augmenter"] = [MIXTURE] * len(parents)
    if "queries" in table.column_names:
        columns["queries"] = [[]] * len(parents)
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        field = table.schema.field(name)
        table = table.set_column(place, field, pa.array(values, field.type))
    return table
