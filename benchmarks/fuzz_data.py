"""Test ingest and clean with random files: `python -m benchmarks.fuzz_data --minutes 5`.

Each round writes odd strings to a file of a random format, damages some of its bytes, and ingests and cleans it. A round passes if every
row is counted, or if it ends with an error message of one sentence. Anything else is a finding. The file of a finding is kept, and its
seed creates the same file again.
"""

import argparse
import gzip
import json
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

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
CELLS = [
    *("a film", "The story is quite good, and the actors were never better.", "", " ", "0", "\x00", "\ufeff", "\u200b\u202e"),
    *("e\u0301" * 9, "caf\u00c3\u00a9", "\ud83d", "\ufffd", "\u0645\u0631\u062d\u0628\u0627", "&amp;lt;b&amp;gt;", "<b", "</script>"),
    *("<!--", "{\\displaystyle (", "a@b.example", "4111 1111 1111 1111", "+1 212 555 0199", "1.2.3.4", "::1", "x" * 300, "so " * 200),
    *("\r", "\r\n", "\n\n", "\t", '"', "'", "\\", "\x1b[1m", "\u0130\ufb01", "https://a.example", "NaN", "1e999", "\u2028", "\x85"),
    *("9" * 5000, "[" * 2000, "\U0001f600", "''", "`"),
]
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


def _damage(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice([0, 0, 0, 0, 0, 1, 3, 20])):
        place = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[place:place] = rng.randbytes(rng.randrange(1, 5))
        elif kind == 2:
            del data[place : place + rng.randrange(1, 40)]
        else:
            data[place:place] = data[: rng.randrange(60)]
    return bytes(data)


def _packed(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    kind = rng.random()
    if kind < 0.1:
        return gzip.compress(content, mtime=0), ".gz"
    return (pa.compress(content, codec="zstd", asbytes=True), ".zst") if kind < 0.2 else (content, "")


def one_round(seed: int, directory: Path) -> str:
    """Write a file, ingest and clean it, and return "clean" or the start of the error message.

    Raises:
        Exception: a finding, which is any error but CompactLMError, or an AssertionError for a lost row or unfinished cleaning.
    """
    rng = random.Random(seed)
    form = rng.choice(FORMATS)
    content, end = _packed(_damage(_content(form, rng), rng), rng)
    path = directory / f"rows.{form}{end}"
    path.write_bytes(_damage(content, rng) if rng.random() < 0.15 else content)
    columns = {"text": rng.choice(["text", 0, {"columns": ["text", "more"], "separator": "\n"}] if form != "txt" else ["text"])}
    source = {"kind": "files", "path": str(path), "format": form, "columns": columns, "encoding": rng.choice(ENCODINGS)}
    profile, lengths = rng.choice(["bert", "thorough", "bag-of-words"]), {"minimum_characters": 3, "maximum_characters": 2_000}
    clean = Clean(profile=profile, filters=None, sentences=None, near_duplicates=None, samples=2, **lengths)
    try:
        ingest = Ingest(sources={"rows": FilesSource.model_validate(source)})
        found = read_sources(ingest, {}, seed, directory / "work", SHARD_BYTES)["rows"]
        gather(found.shards, directory / "raw")
        cleaned = clean_corpus(artifacts.parts(directory / "raw"), directory / "clean", clean, seed, LocalEngine(1), SHARD_BYTES)
    except CompactLMError as error:
        sentence = str(error)
        assert sentence.isprintable() and len(sentence) < 1_000, f"this is not a readable sentence: {sentence!r}"  # noqa: PT018
        return re.sub(r"\d+", "N", sentence.replace(str(path), "FILE"))[:44]
    kept, dropped = cleaned.kept.get("rows", {}).get("rows", 0), sum(cleaned.dropped.get("rows", {}).values())
    assert found.rows == kept + dropped, f"{found.rows} rows came in, but {kept} are kept and {dropped} dropped"
    filters = filters_from(filters_of(clean))
    for shard in cleaned.shards:
        for text in pq.read_table(shard)["text"].to_pylist():
            assert apply_filters(text, filters) == text, f"cleaning changes a clean text: {text!r}"
    return "clean"


def fuzz(first: int, keep_on: Callable[[int], bool], kept: Path) -> tuple[Counter[str], list[int]]:
    """Run rounds from a seed on while `keep_on(round)` is true, and return the counts of their results and the seeds of findings."""
    ends: Counter[str] = Counter()
    findings: list[int] = []
    seed = first
    while keep_on(seed - first):
        with tempfile.TemporaryDirectory(prefix="fuzz-") as directory:
            try:
                ends[one_round(seed, Path(directory))] += 1
            except Exception:  # noqa: BLE001 (any other error is a finding)
                findings.append(seed)
                print(f"seed {seed}:\n{traceback.format_exc(limit=-4)}", file=sys.stderr)
                for path in Path(directory).glob("rows.*"):
                    kept.mkdir(parents=True, exist_ok=True)
                    (kept / f"{seed}-{path.name}").write_bytes(path.read_bytes())
        seed += 1
    return ends, findings


def main() -> None:
    """Run for some minutes, and exit with status 1 if there is a finding."""
    parser = argparse.ArgumentParser(prog="fuzz-data", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first round")
    parser.add_argument("--rounds", type=int, help="number of rounds, instead of minutes")
    parser.add_argument("--keep", type=Path, default=Path(".cache/fuzz"), help="directory for the files of findings")
    arguments = parser.parse_args()
    end, rounds = time.monotonic() + arguments.minutes * 60, arguments.rounds
    ends, findings = fuzz(arguments.seed, lambda done: time.monotonic() < end if rounds is None else done < rounds, arguments.keep)
    for name, count in ends.most_common():
        print(f"{count:7,}  {name}")
    print(f"{sum(ends.values()) + len(findings):,} rounds, {len(findings)} findings: {findings[:20]}")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
