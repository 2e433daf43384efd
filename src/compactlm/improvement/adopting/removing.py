"""Remove a row at a person's request. The next training does not see its text, and a record says which versions did."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from compactlm import artifacts
from compactlm.corpus.duplicates.placing import duplicate_key
from compactlm.corpus.ingest.removed import REMOVED, read_removed
from compactlm.errors import CompactLMError
from compactlm.improvement.adopting.sources import (
    SPLIT_OF,
    corpus_id,
    other_sources,
    read_group,
    read_source,
    read_weights,
    source_name,
    text_id,
    write_group,
)
from compactlm.improvement.adopting.sources import write_source as write
from compactlm.improvement.registry import Registry, Version, fetch
from compactlm.params import Params

RECORD = Path("reports/loop/removals.jsonl")
HEAD = "# Ids of rows that people have asked to remove; `compactlm adopt --remove ID` adds to it, and ingest leaves these rows out.\n"
UNKNOWN, NEVER = "unknown", "not seen"


@dataclasses.dataclass(frozen=True)
class Removal:
    """A removed text: the ids of its rows in the corpus, and for each version the splits that contain it, NEVER, or UNKNOWN."""

    ids: tuple[str, ...]
    versions: Mapping[str, str]


def remove(params: Params, name: str, registry: Registry) -> Removal:
    """Remove all rows with the text of a row, write the record, and return it.

    Args:
        params: the parameters.
        name: the id of the row, in a labelled file or in data/raw and later artifacts.
        registry: the versions.

    Raises:
        CompactLMError: there is no such row.
    """
    tasks = sorted({*params.tasks, *read_group().get("tasks", {})})
    adopted = {source: read_source(source) for task in tasks for kind in SPLIT_OF if (source := source_name(kind, task))}
    raw = _raw()
    texts = [row.text for source, rows in adopted.items() for row in rows if name in (row.id, corpus_id(source, row.text))]
    texts += [text for found, text in raw if found == name]
    if not texts:
        raise CompactLMError(
            f"no adopted row and no row of data/raw has the id {name!r}; pass an id of 32 hexadecimal digits from one of them"
        )
    keys = {duplicate_key(text) for text in texts}
    ids = {found for found, text in raw if duplicate_key(text) in keys}
    for source, rows in adopted.items():
        gone = [row for row in rows if duplicate_key(row.text) in keys]
        ids |= {corpus_id(source, row.text) for row in gone}
        if gone:
            write(source, [row for row in rows if row not in gone])
    others = {task: other_sources(params.tasks[task].sources, task) for task in tasks if task in params.tasks}
    write_group(others, read_weights(others))
    artifacts.write_text(REMOVED, HEAD + "".join(f"{found}\n" for found in sorted(read_removed() | ids | set(map(text_id, texts)))))
    removal = Removal(tuple(sorted(ids)), {version.name: _seen(version, keys, ids) for version in registry.versions})
    _record(removal)
    return removal


def _raw() -> list[tuple[str, str]]:
    """Return the id and the text of each row of data/raw; nothing without the artifact."""
    found: list[tuple[str, str]] = []
    for path in sorted(artifacts.RAW.glob("part-*.parquet")):
        table = pq.read_table(path, columns=["id", "text"])
        found += zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
    return found


def _seen(version: Version, keys: set[str], ids: set[str]) -> str:
    """Return the names of the splits of a version that contain one of the texts or ids."""
    try:
        split = fetch(version, artifacts.SPLIT)
    except CompactLMError:
        return UNKNOWN
    found = [name for name in artifacts.SPLITS if _has(split / name, keys, ids)]
    return ", ".join(found) or NEVER


def _has(directory: Path, keys: set[str], ids: set[str]) -> bool:
    table = artifacts.read_table(directory).select(["id", "text"])
    if ids & set(table["id"].to_pylist()):  # cleaning may have changed the text
        return True
    return any(duplicate_key(text) in keys for text in table["text"].to_pylist())


def _record(removal: Removal) -> None:
    before = RECORD.read_text(encoding="utf-8") if RECORD.is_file() else ""
    content: dict[str, Any] = {"ids": removal.ids, "versions": dict(removal.versions)}
    artifacts.write_text(RECORD, before + json.dumps(content, sort_keys=True) + "\n")


def describe(removal: Removal) -> Iterator[str]:
    """Yield sentences about a removal."""
    yield f"{len(removal.ids):,} rows with this text are removed; the next `dvc repro` does not see them."
    for name, seen in removal.versions.items():
        yield f"{name}: {seen if seen in (NEVER, UNKNOWN) else f'seen in {seen}'}"
    if UNKNOWN in removal.versions.values():
        yield "The text of a version marked unknown is neither in DVC's cache nor in a remote; `dvc fetch --all-tags` may bring it."
    yield (
        f"{RECORD} has this record, without the text. Record it with `git add configs data/sources reports/loop params.yaml && git "
        "commit`; older versions and DVC's cache and remotes still hold the text until they are deleted (`dvc gc`)."
    )
