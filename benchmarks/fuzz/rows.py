"""Target rows: ingest and clean a file of a random format with damaged bytes.

A case passes if every row is counted and cleaning a clean text changes nothing, or if it ends with an error message of one sentence.
"""

import gzip
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fuzz.mutating import CELLS, damage
from benchmarks.fuzz.runner import refusal
from compactlm import artifacts
from compactlm.corpus.clean.cleaning import clean_corpus, filters_of
from compactlm.corpus.clean.filters.base import apply_filters
from compactlm.corpus.clean.filters.composing import filters_from
from compactlm.corpus.ingest.sources import read_sources
from compactlm.errors import CompactLMError
from compactlm.params import Clean, FilesSource, Ingest
from compactlm.shards.engine import LocalEngine
from compactlm.shards.gathering import gather

SHARD_BYTES = 2_000
FORMATS = ("csv", "tsv", "jsonl", "txt", "parquet")
ENCODINGS = (*["utf-8"] * 20, *["latin-1"] * 3, "utf-16", "cp1252", "utf-8-sig", "ascii", "no-such-encoding")


def _cell(rng: random.Random) -> str:
    return "".join(rng.choices(CELLS, k=rng.randrange(1, 4)))


def _json_value(rng: random.Random) -> str:
    odd = ("1", "-1e400", "9" * 5000, "null", "true", "[]", "{}", '{"text": "deep"}', '"\\ud800"', "NaN", "[" * 900 + "]" * 900)
    return rng.choice(odd) if rng.random() < 0.2 else json.dumps(_cell(rng), ensure_ascii=rng.random() < 0.5)


def _content(form: str, rng: random.Random) -> bytes:
    rows = [[_cell(rng), _cell(rng)] for _ in range(rng.randrange(12))]
    if form == "parquet":
        column: list[object] = [rng.choice([row[0].encode("utf-8", "replace").decode(), None]) for row in rows]
        if rng.random() < 0.3:
            column = [rng.randrange(-9, 9) if rng.random() < 0.5 else None for _ in rows]
        sink = pa.BufferOutputStream()
        table = pa.table({"text": column, "more": pa.array([[{"a": 1}]] * len(rows))})
        pq.write_table(table, sink, compression=rng.choice(["zstd", "none"]))
        return bytes(sink.getvalue())
    if form == "jsonl":
        lines = [f'{{"text": {_json_value(rng)}, "more": {_json_value(rng)}}}' for _ in rows]
    elif form == "csv":
        quoted = [['"' + cell.replace('"', '""') + '"' if rng.random() < 0.8 else cell for cell in row] for row in rows]
        lines = ["text,more", *(",".join(row) for row in quoted)]
    else:
        lines = ["text\tmore", *("\t".join(row) for row in rows)]
    lone = "surrogatepass" if rng.random() < 0.05 else "replace"
    return rng.choice(["\n", "\r\n", "\r"]).join(lines).encode("utf-16" if rng.random() < 0.05 else "utf-8", lone)


def _packed(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    kind = rng.random()
    if kind < 0.1:
        return gzip.compress(content, mtime=0), ".gz"
    return (pa.compress(content, codec="zstd", asbytes=True), ".zst") if kind < 0.2 else (content, "")


def case(rng: random.Random, directory: Path, models: Path) -> str:  # noqa: ARG001
    """Write a file, ingest and clean it, and return "clean" or the start of the error message."""
    form = rng.choice(FORMATS)
    content, end = _packed(damage(_content(form, rng), rng), rng)
    path = directory / f"rows.{form}{end}"
    path.write_bytes(damage(content, rng) if rng.random() < 0.15 else content)
    columns = {"text": rng.choice(["text", 0, {"columns": ["text", "more"], "separator": "\n"}] if form != "txt" else ["text"])}
    source = {"kind": "files", "path": str(path), "format": form, "columns": columns, "encoding": rng.choice(ENCODINGS)}
    profile, lengths = rng.choice(["bert", "thorough", "bag-of-words"]), {"minimum_characters": 3, "maximum_characters": 2_000}
    clean = Clean(profile=profile, filters=None, sentences=None, near_duplicates=None, samples=2, **lengths)
    try:
        ingest = Ingest(sources={"rows": FilesSource.model_validate(source)})
        found = read_sources(ingest, {}, 0, directory / "work", SHARD_BYTES)["rows"]
        gather(found.shards, directory / "raw")
        cleaned = clean_corpus(artifacts.parts(directory / "raw"), directory / "clean", clean, 0, LocalEngine(1), SHARD_BYTES)
    except CompactLMError as error:
        return refusal(error, directory)
    kept, dropped = cleaned.kept.get("rows", {}).get("rows", 0), sum(cleaned.dropped.get("rows", {}).values())
    assert found.rows == kept + dropped, f"{found.rows} rows came in, but {kept} are kept and {dropped} dropped"
    filters = filters_from(filters_of(clean))
    for shard in cleaned.shards:
        for text in pq.read_table(shard)["text"].to_pylist():
            assert apply_filters(text, filters) == text, f"cleaning changes a clean text: {text!r}"
    return "clean"
