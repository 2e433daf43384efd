"""Shards of documents and their manifests: apply a function to a shard, unless the result exists already.

A shard is done only if the manifest next to it matches. The manifest has the sha256 of the input, the fingerprint of code and parameters,
and the sha256 of the output. It is renamed into place after the output. If the process is killed at any moment, the shard is therefore
either complete or made again.
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic_core import to_jsonable_python

from compactlm.artifacts import is_document_schema, read_json, replacing, write_json
from compactlm.errors import CompactLMError
from compactlm.shards.keys import KEY
from compactlm.shards.reports import Counts, Report

ROW_GROUP = 1_000  # row groups are small, so that a range of ids can be read without many other rows
WORKING = "lz4"  # working shards are read again at once; lz4 takes half the time of zstd and 1.5 times the space
_SHARED = ["source", "task", "label", "augmenter"]


@dataclasses.dataclass(frozen=True, slots=True)
class Manifest:
    """The record of a shard: sha256 of input and output, fingerprint of code and parameters, numbers of rows, and the report."""

    input: str
    fingerprint: str
    output: str
    rows_in: int
    rows_out: int
    report: Report


@dataclasses.dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard to read, and the path to write the result to."""

    source: Path
    target: Path


ShardFunction = Callable[[pa.Table], tuple[pa.Table, Report]]


class ShardStep(abc.ABC):
    """A function of a shard together with its parameters, as a dataclass."""

    def parameters(self) -> dict[str, Any]:
        """Return everything that the result depends on except the shard and the code, as JSON values.

        Paths are left out; another field holds the sha256 of such a file.
        """
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        found: dict[str, Any] = to_jsonable_python({name: value for name, value in values.items() if not isinstance(value, Path)})
        return found

    @abc.abstractmethod
    def __call__(self, table: pa.Table, /) -> tuple[pa.Table, Report]:
        """Return the new shard, and a report of what was dropped."""


def tasks_for(shards: Iterable[Path], target: Path) -> list[ShardTask]:
    """Return a task for each shard, and remove all other files from `target`."""
    tasks = [ShardTask(shard, target / shard.name) for shard in shards]
    known = {path for task in tasks for path in (task.target, manifest_path(task.target))}
    for stray in sorted(target.glob("*")) if target.is_dir() else []:
        if stray not in known:
            stray.unlink()
    return tasks


def manifest_path(shard: Path) -> Path:
    """Return the path of a shard's manifest."""
    return shard.with_suffix(".json")


def process_shard(task: ShardTask, function: ShardFunction, fingerprint: str) -> Manifest:
    """Apply a function to a shard, unless the result is already there, and return the manifest.

    The input is read once, and exactly the bytes that were read are hashed, so a change of the file in the meantime is noticed.

    Raises:
        CompactLMError: the shard cannot be read or has another schema.
    """
    content = task.source.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    done = _find_done(task.target, found, fingerprint)
    if done is not None:
        return done
    with readable(task.source):
        table = pq.read_table(pa.BufferReader(content))
    check_schema(table.schema, task.source)
    result, report = function(table)
    added, dropped = _total(report.added), _total(report.dropped)
    if len(table) + added != len(result) + dropped:
        raise RuntimeError(
            f"{task.source}: {len(table)} rows came in and {added} were added, but {len(result)} went out and {dropped} were counted as "
            "dropped"
        )
    write_working(result, task.target)
    output = hashlib.sha256(task.target.read_bytes()).hexdigest()
    manifest = Manifest(found, fingerprint, output, len(table), len(result), report)
    write_json(manifest_path(task.target), dataclasses.asdict(manifest))
    return manifest


def _total(counts: Counts) -> int:
    return sum(count for reasons in counts.values() for count in reasons.values())


def _find_done(shard: Path, source_sha256: str, fingerprint: str) -> Manifest | None:
    """Return a shard's manifest if input and fingerprint match and the shard is unchanged, else None."""
    manifest = read_manifest(shard)
    if manifest is None or (manifest.input, manifest.fingerprint) != (source_sha256, fingerprint) or not shard.is_file():
        return None
    return manifest if hashlib.sha256(shard.read_bytes()).hexdigest() == manifest.output else None


def read_manifest(shard: Path) -> Manifest | None:
    """Return a shard's manifest, or None if it is missing, unreadable or its numbers of rows do not add up."""
    try:
        content = read_json(manifest_path(shard))
        manifest = Manifest(**{**content, "report": Report(**content["report"])})
        added, dropped = _total(manifest.report.added), _total(manifest.report.dropped)
        return manifest if manifest.rows_in + added == manifest.rows_out + dropped else None
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError, AttributeError):
        return None


@contextlib.contextmanager
def readable(where: Path) -> Iterator[None]:
    """Turn errors of reading a shard within the block into a CompactLMError; FileNotFoundError passes through."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise CompactLMError(f"{where} cannot be read as parquet ({reason}); remove it and run the stage that writes it again") from None


def check_schema(schema: pa.Schema, where: Path) -> None:
    """Raise CompactLMError if a shard does not have the columns of documents, with or without a key."""
    plain = schema.remove(len(schema) - 1) if schema.names[-1:] == [KEY.name] and schema.field(-1).equals(KEY) else schema
    if not is_document_schema(plain):
        raise CompactLMError(f"{where} does not have the columns of documents; remove it and run the stage that writes it again")


def write_working(table: pa.Table, path: Path) -> None:
    """Write a working shard in one step."""
    with replacing(path) as unfinished:
        # Dictionaries and statistics help for columns with repeated values and for ids. For texts they take time and save nothing.
        pq.write_table(
            table, unfinished, compression=WORKING, row_group_size=ROW_GROUP, use_dictionary=_SHARED, write_statistics=["id", *_SHARED]
        )


def batches_of(where: Path, size: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a shard of documents in batches of at most `size` rows.

    Raises:
        CompactLMError: the shard is damaged or has other columns.
    """
    with readable(where):
        file = pq.ParquetFile(where)
    with file:
        check_schema(file.schema_arrow, where)
        batches = file.iter_batches(size, columns=None if columns is None else list(columns))
        while True:
            with readable(where):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch
