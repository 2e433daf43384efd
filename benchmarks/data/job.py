"""A job to measure in its own process: `python -m benchmarks.data.job NAME DIRECTORY PROCESSES` prints its figures as JSON."""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.shared.machine import peak_bytes
from compactlm import artifacts
from compactlm.corpus.clean.filters.bag_of_words import STOP_WORDS
from compactlm.params import Clean, FilesSource, Ingest, NearDuplicates, Split
from compactlm.shards.engine import LocalEngine, apply
from compactlm.shards.gathering import gather

SEED = 17
SHARD_BYTES = 32_000_000
_NO_LETTERS = re.compile(r"[\W\d_]+")
NEAR = NearDuplicates(threshold=0.8, permutations=128, unit="words", size=3)
SPLIT = Split(
    train=0.7, validation=0.15, test=0.15, placement="stable", near_duplicates=NEAR, across_splits="prevent", weights={}, sources={}
)


def _clean(profile: str, directory: Path, processes: int) -> dict[str, float]:
    from compactlm.corpus.clean.cleaning import clean_corpus

    lengths = {"minimum_characters": 10, "maximum_characters": 100_000}
    clean = Clean(profile=profile, filters=None, sentences=None, near_duplicates=None, samples=3, **lengths)
    parts = artifacts.parts(directory / "parts")
    cleaned = clean_corpus(parts, directory / f"work-{profile}", clean, SEED, LocalEngine(processes), SHARD_BYTES)
    gather(cleaned.shards, directory / f"out-{profile}")
    return {"rows": sum(counts["rows"] for counts in cleaned.kept.values())}


def to_words(text: str) -> str:
    """Apply the classical recipe to a text: lower case, letters only, word_tokenize, no stop words."""
    from nltk.tokenize import word_tokenize

    # preserve_line skips the splitting of sentences, which would need NLTK's data.
    words = word_tokenize(_NO_LETTERS.sub(" ", text.lower()), preserve_line=True)
    return " ".join(word for word in words if word not in STOP_WORDS)


def recipe(directory: Path, _: int) -> dict[str, float]:
    """Run the classical recipe of most tutorials: a pandas frame, and a function that is applied to each text."""
    import pandas as pd

    frame = pd.read_parquet(directory / "parts")
    frame["text"] = frame["text"].apply(to_words)
    frame.to_parquet(directory / "out-recipe.parquet", compression="zstd")
    return {"rows": len(frame)}


def ingest(directory: Path, _: int) -> dict[str, float]:
    """Ingest a local jsonl file."""
    from compactlm.corpus.ingest.sources import read_sources

    columns = {"text": "text", "document": "document"}
    source = FilesSource.model_validate({"kind": "files", "path": str(directory / "rows.jsonl"), "columns": columns})
    extracts = read_sources(Ingest(sources={"rows": source}), {}, SEED, directory / "work-ingest", SHARD_BYTES)
    gather(extracts["rows"].shards, directory / "out-ingest")
    return {"rows": extracts["rows"].rows}


def split(directory: Path, processes: int) -> dict[str, float]:
    """Split the rows, stably under growth and without near-duplicates across splits."""
    from compactlm.corpus.split.splitting import split_corpus

    parts = artifacts.parts(directory / "parts")
    found = split_corpus(parts, directory / "work-split", SPLIT, SEED, LocalEngine(processes), SHARD_BYTES)
    for name, shards in found.shards.items():
        gather(shards, directory / "out-split" / name)
    return {"rows": len(found.rows)}


def near(directory: Path, processes: int) -> dict[str, float]:
    """Cluster near-duplicates over all rows. The measured memory does not include that of the signatures."""
    from compactlm.corpus.duplicates.signatures import SignatureShards, SignShard

    shards = sorted((directory / "work-split" / "in").glob("part-*.parquet"))
    signed, _ = apply(shards, directory / "work-split" / "signatures", LocalEngine(processes), SignShard(NEAR, SEED))
    found = SignatureShards(signed)
    before, start = peak_bytes(), time.perf_counter()
    clusters = found.clusters(NEAR)
    return {
        "rows": len(clusters),
        "cluster_seconds": round(time.perf_counter() - start, 3),
        "bytes_a_row": round((peak_bytes() - before) / len(clusters), 1),
        "near_duplicates": int(len(clusters) - len(set(clusters.tolist()))),
    }


JOBS: dict[str, Callable[[Path, int], dict[str, float]]] = {
    "recipe": recipe,
    "bag-of-words": lambda directory, processes: _clean("bag-of-words", directory, processes),
    "ingest": ingest,
    "clean": lambda directory, processes: _clean("bert", directory, processes),
    "split": split,
    "near": near,
}


def main() -> None:
    """Run the job given on the command line."""
    name, directory, processes = sys.argv[1:]
    start = time.perf_counter()
    figures = JOBS[name](Path(directory), int(processes))
    print(json.dumps({"seconds": round(time.perf_counter() - start, 3), **figures}))


if __name__ == "__main__":
    main()
