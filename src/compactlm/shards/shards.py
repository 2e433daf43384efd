"""Shards of documents and their manifests: how one shard becomes another, and when that has been done.

A shard counts as done only when the manifest beside it says so: made from this input, by this code with these parameters, to an
output with this sha256. The manifest is renamed into place after the output, so a kill at any moment leaves either a whole
shard or one that is made again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from compactlm.artifacts import DOCUMENT_SCHEMAS, parts, read_json, replacing, write_json
from compactlm.errors import CompactLMError
from compactlm.shards.keys import KEY

ROW_GROUP = 1_000  # small, so that a range of ids is read without what lies around it
WORKING = "lz4"  # of working shards, which are read again at once: half the time of zstd, and one and a half times the bytes
_SHARED = ["source", "task", "label", "augmenter"]
Counts = dict[str, dict[str, int]]


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What a function did to a shard.

    Attributes:
        dropped: rows dropped, by source and reason.
        masked: what was masked in the rows that were kept, by source and kind.
        samples: some dropped texts, by "source reason", each with the number it was drawn by; the smallest are shown.
        added: rows that there are more, by source and how they came.
    """

    dropped: Counts = dataclasses.field(default_factory=dict)
    masked: Counts = dataclasses.field(default_factory=dict)
    samples: dict[str, list[list[str]]] = dataclasses.field(default_factory=dict)
    added: Counts = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Manifest:
    """How a shard came to be: sha256 of input and output, fingerprint of code and parameters, rows, and the report."""

    input: str
    fingerprint: str
    output: str
    rows_in: int
    rows_out: int
    report: Report


@dataclasses.dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard to read, and where to write what becomes of it."""

    source: Path
    target: Path


ShardFunction = Callable[[pa.Table], tuple[pa.Table, Report]]


def tasks_between(source: Path, target: Path) -> list[ShardTask]:
    """Return a task for each shard of a directory, and remove from the target what belongs to none of them.

    Raises:
        FileNotFoundError: the directory holds no shard.
    """
    return tasks_for(parts(source), target)


def tasks_for(shards: Iterable[Path], target: Path) -> list[ShardTask]:
    """Return a task for each shard, and remove from the target what belongs to none of them."""
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
    """Apply a function to a shard, unless that has been done, and return the manifest.

    The input is read once, and its hash is of the very bytes that were read, so a file that changes meanwhile is seen.

    Raises:
        CompactLMError: the shard cannot be read or has another schema.
    """
    content = task.source.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    done = finished(task.target, found, fingerprint)
    if done is not None:
        return done
    table = _read(content, task.source)
    result, report = function(table)
    added, dropped = _totals(report)
    if len(table) + added != len(result) + dropped:
        raise RuntimeError(
            f"{task.source}: {len(table)} rows came in and {added} were added, {len(result)} went out and {dropped} were counted as dropped"
        )
    write_working(result, task.target)
    output = hashlib.sha256(task.target.read_bytes()).hexdigest()
    manifest = Manifest(found, fingerprint, output, len(table), len(result), report)
    write_json(manifest_path(task.target), dataclasses.asdict(manifest))
    return manifest


def _totals(report: Report) -> tuple[int, int]:
    """Return how many rows were added, and how many dropped."""
    added, dropped = (sum(count for kinds in counts.values() for count in kinds.values()) for counts in (report.added, report.dropped))
    return added, dropped


def finished(shard: Path, source_sha256: str, fingerprint: str) -> Manifest | None:
    """Return a shard's manifest if it is of this input and fingerprint and the shard is as it was written, else None."""
    manifest = read_manifest(shard)
    if manifest is None or (manifest.input, manifest.fingerprint) != (source_sha256, fingerprint) or not shard.is_file():
        return None
    return manifest if hashlib.sha256(shard.read_bytes()).hexdigest() == manifest.output else None


def read_manifest(shard: Path) -> Manifest | None:
    """Return a shard's manifest, or None where there is none that can be read, or one whose rows do not add up."""
    try:
        content = read_json(manifest_path(shard))
        manifest = Manifest(**{**content, "report": Report(**content["report"])})
        added, dropped = _totals(manifest.report)
        return manifest if manifest.rows_in + added == manifest.rows_out + dropped else None
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError, AttributeError):
        return None


def _read(content: bytes, where: Path) -> pa.Table:
    with encodable(where):
        table = pq.read_table(pa.BufferReader(content))
    check_schema(table.schema, where)
    return table


@contextlib.contextmanager
def encodable(where: Path) -> Iterator[None]:
    """Say in one sentence that a shard cannot be read, where reading it fails within the block; one that is missing is left to others."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise CompactLMError(f"{where} cannot be read as parquet ({reason}); remove it and run the stage that writes it again") from None


def check_schema(schema: pa.Schema, where: Path) -> None:
    """Refuse a shard that has other columns than documents have, or a key beside them; raises CompactLMError."""
    if not any(schema.equals(known) or schema.equals(known.append(KEY)) for known in DOCUMENT_SCHEMAS):
        raise CompactLMError(f"{where} has other columns than documents have; remove it and run the stage that writes it again")


def write_working(table: pa.Table, path: Path) -> None:
    """Write a working shard, in one step."""
    with replacing(path) as unfinished:
        # Dictionaries and bounds are for what rows share and are looked up by: made of texts, they take time and save nothing.
        pq.write_table(
            table, unfinished, compression=WORKING, row_group_size=ROW_GROUP, use_dictionary=_SHARED, write_statistics=["id", *_SHARED]
        )


def batches_of(where: Path, size: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a shard of documents in batches of at most `size`; raises CompactLMError where it is harmed."""
    with encodable(where):
        file = pq.ParquetFile(where)
    with file:
        check_schema(file.schema_arrow, where)
        batches = file.iter_batches(size, columns=None if columns is None else list(columns))
        while True:
            with encodable(where):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch


def add_counts(parts: Iterable[Counts]) -> Counts:
    """Return the sums of counts by source and reason, sorted."""
    total: dict[str, dict[str, int]] = {}
    for part in parts:
        for source, reasons in part.items():
            for reason, count in reasons.items():
                sums = total.setdefault(source, {})
                sums[reason] = sums.get(reason, 0) + count
    return {source: dict(sorted(reasons.items())) for source, reasons in sorted(total.items())}
