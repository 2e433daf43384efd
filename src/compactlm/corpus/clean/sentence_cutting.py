"""Sentence splitting of unlabelled rows, with abbreviations that Punkt knows or learns from the corpus.

The abbreviations are a JSON file, and its sha256 is part of the fingerprint of each shard.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from compactlm.artifacts import derived_id, file_sha256, read_json, write_json
from compactlm.corpus.clean.filters.measures import TOO_SHORT
from compactlm.corpus.duplicates.dropping import AddKeys
from compactlm.draws import DrawnUntil
from compactlm.params import Sentences
from compactlm.shards.engine import Engine, apply
from compactlm.shards.reports import DropCounter, Report
from compactlm.shards.shards import Manifest, ShardStep, batches_of
from compactlm.text.punkt import find_abbreviations, learn_abbreviations
from compactlm.text.sentences import split_sentences

ADDED = "sentences"
_BATCH = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class CutShard(ShardStep):
    """Splits the unlabelled rows of `sources` in a shard into sentences. Each becomes a row of the same document. Pairs are not split.

    The queries of a row go to its first sentence: a query is paired with the beginning of its passage, and pairs must not repeat.

    `file` is the JSON file of the abbreviations, and `sha256` its hash. Sentences of fewer than `minimum` characters are dropped. For each
    source, `samples` of them are drawn by the seed and shown.
    """

    file: Path
    sha256: str
    sources: tuple[str, ...]
    minimum: int
    seed: int
    samples: int

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return the sentences and the other rows, sorted by id, and a report of added and dropped rows."""
        abbreviations = _abbreviations(self.file, self.sha256)
        rows: list[dict[str, Any]] = []
        added: Counter[str] = Counter()
        dropped = DropCounter(self.seed, self.samples)
        for row in table.to_pylist():
            source = row["source"]
            plain = row["task"] is None and row.get("pair") is None and row.get("words") is None
            sentences = split_sentences(row["text"], abbreviations) if source in self.sources and plain else []
            if len(sentences) < 2:
                rows.append(row)
                continue
            added[source] += len(sentences) - 1
            own: dict[str, Any] = {"queries": row["queries"]} if "queries" in row else {}
            for number, sentence in enumerate(sentences):
                name = derived_id(row["id"], number, sentence)
                if len(sentence) < self.minimum:
                    dropped.add(source, TOO_SHORT, name, sentence)
                else:
                    rows.append({**row, "id": name, "text": sentence, **own})
                    own = {name: [] for name in own}
        rows.sort(key=lambda row: row["id"])
        report = dropped.report(added={source: {ADDED: count} for source, count in added.items()})
        return pa.Table.from_pylist(rows, table.schema), report


@functools.cache
def _abbreviations(file: Path, sha256: str) -> frozenset[str]:  # noqa: ARG001 (a new content needs a new set)
    return frozenset(read_json(file))


def cut_sentences(
    shards: Sequence[Path], work: Path, engine: Engine, settings: Sentences, seed: int, samples: int
) -> tuple[list[Path], list[Manifest], bool]:
    """Cut the rows of cleaned shards into sentences. The seed draws the texts to train Punkt on, and the dropped sentences to show.

    Returns:
        The new shards with the keys of their rows, their manifests, and whether the abbreviations were learnt from the corpus.
    """
    known = find_abbreviations(settings.language)
    path = work / "abbreviations.json"
    if known is None:
        write_json(path, learn_abbreviations(sample_texts(shards, settings.sources, settings.characters, seed)))
    else:
        write_json(path, known)
    function = CutShard(path, file_sha256(path), tuple(sorted(settings.sources)), settings.minimum_characters, seed, samples)
    return *apply(shards, work / "sentences", engine, AddKeys(function)), known is None


def sample_texts(shards: Iterable[Path], sources: Sequence[str], characters: int, seed: int) -> list[str]:
    """Return texts of these sources, drawn by seed and id, that have at least `characters` characters together, or all texts."""
    drawn: DrawnUntil[str] = DrawnUntil(characters, "punkt", seed)
    for path in shards:
        for batch in batches_of(path, _BATCH, ["id", "source", "text"]):
            for row in batch.to_pylist():
                if row["source"] in sources:
                    drawn.add(row["id"], len(row["text"]), row["text"])
    return drawn.items()
