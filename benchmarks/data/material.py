"""Write text of any size from repeated rows of an artifact: `python -m benchmarks.data.material SOURCE DIRECTORY BYTES`."""

import dataclasses
import hashlib
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.shards.gathering import gather, write_shards

EVERY = 10  # each copy changes one of this many words
_SHARD_BYTES = 32_000_000


def repeated(rows: Sequence[Document], size: int) -> Iterator[Document]:
    """Yield rows, then copies of them with every tenth word changed, until their texts have `size` bytes.

    The new words are drawn from the running text, so that copies have as many rare words and odd characters as the originals.
    """
    words = [sys.intern(word) for row in rows for word in row.text.split()]
    given = copy = 0
    while True:
        for row in rows:
            changed = row if copy == 0 else _changed(row, copy, words)
            given += len(changed.text.encode())
            yield changed
            if given >= size:
                return
        copy += 1


def _changed(row: Document, copy: int, words: Sequence[str]) -> Document:
    name = hashlib.blake2b(f"{row.id} {copy}".encode(), digest_size=16).hexdigest()
    rng = random.Random(name)
    text = row.text.split()
    for place in range(rng.randrange(EVERY), len(text), EVERY):
        text[place] = rng.choice(words)
    document = name if row.document == row.id else f"{row.document} {copy}"
    return dataclasses.replace(row, id=name, text=" ".join(text), document=document)


def write_corpus(source: Path, directory: Path, size: int) -> None:
    """Write `parts`, an artifact of documents with `size` bytes of text, and `rows.jsonl`, a local file with the same text."""
    rows = artifacts.read_documents(source)
    write_shards(repeated(rows, size), directory / "shards", _SHARD_BYTES)
    gather(artifacts.parts(directory / "shards"), directory / "parts")
    with (directory / "rows.jsonl").open("w", encoding="utf-8") as file:
        for part in artifacts.parts(directory / "parts"):
            for row in pq.read_table(part, columns=["document", "text"]).to_pylist():
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write_corpus(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
