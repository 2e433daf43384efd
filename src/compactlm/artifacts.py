"""The paths of all artifacts, and how they are read and written.

Every artifact is written to a temporary path next to its own and then renamed, so a failure leaves no half-written artifact. Parquet is
written with fixed settings and sorted by id, so equal rows give equal bytes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from compactlm.tasks.base.rows import Targets

RAW = Path("data/raw")
CLEAN = Path("data/clean")
SHARDS = Path("data/shards")  # working shards and manifests, one directory per stage; DVC does not manage them, so they survive a kill
SPLIT = Path("data/split")
AUGMENTED = Path("data/augmented")
WEIGHTED = Path("data/weighted")
COUNTERFACTUAL = Path("data/counterfactual")
TOKENIZED = Path("data/tokenized")
SIGNALS = Path("data/signals")
PREDICTIONS = Path("data/predictions")
STATIC_TABLE = SIGNALS / "static.safetensors"
STUDENT_TOKENIZER = TOKENIZED / "tokenizer"
ID_MAP = TOKENIZED / "id_map.json"  # the teacher's token id for each token id of the student
TEACHER = Path("models/teacher")
STUDENT = Path("models/student")
EXPORT = Path("models/export")
CHECKPOINTS = Path("models/checkpoints")
METRICS = Path("reports/metrics")
TIMINGS = Path("reports/timings")  # timings are not metrics, because they depend on the machine
CURVES = Path("reports/curves")
PLOTS = Path("reports/plots")
SAMPLES = Path("reports/samples")
NOTICES = Path("reports/notices")  # sentences that stages print, and the report page repeats
DATA_CARD = Path("reports/data-card.md")
TEACHER_CARD = Path("reports/teacher-card.md")
BIAS_REPORT = Path("reports/bias-audit.md")
REPORT = Path("reports/index.html")
REPORT_PLOTS = PLOTS / "report"
MODEL_CARD = Path("reports/model-card.md")
STUDENT_CARD_NAME = "README.md"  # the name that the model hub expects in models/student
FRONTIER = Path("reports/frontier")  # written by `make frontier` and benchmarks/, not by stages
ABLATIONS = Path("reports/ablations")
BENCHMARKS = Path("reports/benchmarks")
MITIGATION = Path("reports/mitigation")
LOOP = Path("reports/loop")  # written by `compactlm watch` and `compactlm promote`

EMBEDDING = "embedding"  # the directory of the student's sentence encoder, next to them; only if there is one
BASE = "base"  # the directory of the pretrained teacher in TEACHER, next to the directories of the tasks
MLM = "mlm"  # the directory of the masked language model in STUDENT and EXPORT, next to the directories of the tasks
SPLITS = ("train", "validation", "test")
ROWS_PER_SHARD = 100_000


@dataclasses.dataclass(frozen=True, slots=True)
class Document(Targets):
    """One row of text, and its targets (see Targets).

    Attributes:
        id: the stable id of the row, 32 hexadecimal digits made from its source and content.
        text: the text; the first text of a pair, the passage of a question, or `words` joined by single spaces.
        document: the key of the document; rows of one source and document stay in one split.
        task: the name of the labelled task, or None for unlabelled text.
        parent: the id of the row from which `augmenter` derived this row, or None.
        attributes: the value of each protected attribute that has a column in the source; None for an empty cell.
        queries: texts that belong to the text, such as questions that it answers or its summary; sorted, without repeats.
        pair: the second text of a pair, or the question about a passage.
        words: the words to tag. They contain no white space, so they are also `text.split()`.
    """

    id: str
    source: str
    text: str
    document: str
    task: str | None = None
    parent: str | None = None
    augmenter: str | None = None
    attributes: tuple[tuple[str, str | None], ...] = ()
    queries: tuple[str, ...] = ()
    pair: str | None = None
    words: tuple[str, ...] | None = None


NO_ANSWER = -1

DOCUMENT_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("document", pa.string(), nullable=False),
        pa.field("task", pa.string()),
        pa.field("label", pa.string()),
        pa.field("parent", pa.string()),
        pa.field("augmenter", pa.string()),
    ]
)

# A group of these columns is written only if a row has a value there.
ATTRIBUTES = pa.field("attributes", pa.map_(pa.string(), pa.string()), nullable=False)
QUERIES = pa.field("queries", pa.list_(pa.string()), nullable=False)
TARGETS = {
    "pair": (pa.field("pair", pa.string()),),
    "labels": (pa.field("labels", pa.list_(pa.string())),),
    "score": (pa.field("score", pa.float64()),),
    "words": (pa.field("words", pa.list_(pa.string())), pa.field("tags", pa.list_(pa.string()))),
    "answer_start": (pa.field("answer", pa.string()), pa.field("answer_start", pa.int64())),
}
_OPTIONAL = {"attributes": (ATTRIBUTES,), "queries": (QUERIES,), **TARGETS}

WEIGHT_SCHEMA = pa.schema([pa.field("id", pa.string(), nullable=False), pa.field("weight", pa.float64(), nullable=False)])

# The probabilities of both models for each test row of a task, in the order of the labels. The id leads to the text.
PREDICTION_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("teacher", pa.list_(pa.float64()), nullable=False),
        pa.field("student", pa.list_(pa.float64()), nullable=False),
    ]
)

SEQUENCE_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("task", pa.string()),
        pa.field("label", pa.string()),
        pa.field("input_ids", pa.list_(pa.int32()), nullable=False),
    ]
)

# Sequences of pairs have the position of the second text, and those of kinds of task whose labels are no names have a target
# (compactlm.tasks.base.Example). Both columns are written only if a row has something in them.
SECOND = pa.field("second", pa.int32())
TARGET = pa.field("target", pa.list_(pa.float64()))


def document_schema(*, attributes: bool = False, queries: bool = False, targets: Collection[str] = ()) -> pa.Schema:
    """Return the schema of documents. The columns of attributes, of queries, and of the keys of TARGETS are optional."""
    chosen = {*targets, *(["attributes"] if attributes else []), *(["queries"] if queries else [])}
    return pa.schema([*DOCUMENT_SCHEMA, *(field for name, fields in _OPTIONAL.items() if name in chosen for field in fields)])


def is_document_schema(schema: pa.Schema) -> bool:
    """Return whether a schema is a possible result of `document_schema`."""
    has = set(schema.names)
    known = document_schema(attributes="attributes" in has, queries="queries" in has, targets=has & TARGETS.keys())
    return bool(schema.equals(known))


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a fresh path next to `target` to write to, and rename it to `target` at the end of the block.

    The path may become a file or a directory. If the block raises, the path is removed and `target` is unchanged.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished")
    _remove(unfinished)
    try:
        yield unfinished
        if unfinished.is_dir() or target.is_dir():  # a file can replace another file directly
            _remove(target)
        os.replace(unfinished, target)
    finally:
        _remove(unfinished)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_table(directory: Path, rows: Iterable[dict[str, Any]], schema: pa.Schema) -> None:
    """Write rows to `directory` as Parquet shards of at most ROWS_PER_SHARD rows, sorted by id."""
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: row["id"]), schema=schema)
    directory.mkdir(parents=True, exist_ok=True)
    for shard, start in enumerate(range(0, max(len(table), 1), ROWS_PER_SHARD)):
        pq.write_table(
            table.slice(start, ROWS_PER_SHARD),
            directory / f"part-{shard:05d}.parquet",
            compression="zstd",
            row_group_size=10_000,
        )


def parts(directory: Path) -> list[Path]:
    """Return the Parquet shards of a directory, in the order of their names; raises FileNotFoundError if there is none."""
    shards = sorted(directory.glob("part-*.parquet"))
    if not shards:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory / "part-*.parquet"))
    return shards


def read_table(directory: Path) -> pa.Table:
    """Read all Parquet shards of a directory, in the order of their names; raises FileNotFoundError if there is none."""
    return pa.concat_tables(pq.read_table(shard) for shard in parts(directory))


def write_documents(directory: Path, documents: Iterable[Document]) -> None:
    """Write documents to `directory`, sorted by id; equal documents give equal bytes."""
    listed = list(documents)
    targets = [name for name, fields in TARGETS.items() if any(getattr(one, field.name) is not None for one in listed for field in fields)]
    schema = document_schema(attributes=any(one.attributes for one in listed), queries=any(one.queries for one in listed), targets=targets)
    # Not dataclasses.asdict, which copies every value.
    write_table(directory, ({name: getattr(document, name) for name in schema.names} for document in listed), schema)


def read_documents(directory: Path) -> list[Document]:
    """Read the documents of a directory, sorted by id."""
    return to_documents(read_table(directory))


def to_documents(table: pa.Table) -> list[Document]:
    """Return the rows of a table as documents."""
    listed = ("attributes", "queries")
    optional = [name for name in ("labels", "words", "tags") if name in table.column_names]
    rows = table.to_pylist()
    for row in rows if optional else ():
        row.update({name: tuple(row[name]) for name in optional if row[name] is not None})
    return [Document(**{**row, **{name: tuple(row.get(name, ())) for name in listed}}) for row in rows]


def derived_id(*parts: object) -> str:
    """Return a stable id of 32 hexadecimal digits, from the id of a parent row and the properties that distinguish its copies."""
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys. nan and infinity raise ValueError."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(path, text)


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file in one step."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_rows_as_tsv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a small table for `dvc plots` as tab-separated values."""
    lines = ["\t".join(columns), *("\t".join(str(cell) for cell in row) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")
