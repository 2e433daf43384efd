"""Clean rows as the stage `clean` does, without params.yaml."""

from pathlib import Path
from typing import Any

from compactlm import artifacts
from compactlm.artifacts import Document, read_documents
from compactlm.corpus.clean.cleaning import Cleaned, clean_corpus
from compactlm.params import Clean, Split
from compactlm.shards.engine import LocalEngine
from compactlm.shards.gathering import gather

SETTINGS: dict[str, Any] = {"profile": "bert", "filters": None, "minimum_characters": 3, "maximum_characters": 100}
SETTINGS |= {"sentences": None, "near_duplicates": None, "samples": 1}


def cleaned(
    directory: Path, rows: list[Document], shard_bytes: int = 100_000, split: Split | None = None, **changes: Any
) -> tuple[list[Document], Cleaned]:
    """Clean rows with changed settings, before this split; return the rows of `directory / "out"`, and what was done."""
    artifacts.write_documents(directory / "raw", rows)
    clean = Clean(**SETTINGS | changes)
    found = clean_corpus(artifacts.parts(directory / "raw"), directory / "work", clean, 1, LocalEngine(1), shard_bytes, split)
    gather(found.shards, directory / "out")
    return read_documents(directory / "out"), found
