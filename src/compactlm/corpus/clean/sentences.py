"""Rows cut into sentences by Punkt (Kiss and Strunk 2006), whose knowledge of abbreviations is NLTK's own or learnt from the corpus.

What Punkt knows lies in a file of JSON, whose sha256 is one of the things that a shard depends on.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import nltk
import pyarrow as pa
from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer, PunktTrainer, load_punkt_params

from compactlm.artifacts import read_json, write_json
from compactlm.corpus.clean.filters.measures import TOO_SHORT
from compactlm.corpus.clean.samples import drawn, smallest_samples
from compactlm.corpus.duplicates.shard_duplicates import Keyed
from compactlm.params import Sentences
from compactlm.shards.engine import Engine, apply
from compactlm.shards.shards import Manifest, Report, batches_of

ADDED = "sentences"
_BATCH = 1_000
_ID_BYTES = 16


@dataclasses.dataclass(frozen=True, slots=True)
class CutShard:
    """Cuts the rows of a shard that have no label into sentences, each a row of the same document.

    Attributes:
        model: a file of what Punkt knows.
        sha256: of that file.
        sources: whose rows are cut.
        minimum: characters of a sentence that is kept.
        seed: draws the dropped sentences that are shown.
        samples: how many are shown for each source.
    """

    model: Path
    sha256: str
    sources: tuple[str, ...]
    minimum: int
    seed: int
    samples: int

    def parameters(self) -> dict[str, object]:
        """Return all that the result depends on, as what JSON can hold."""
        return {name: getattr(self, name) for name in ("sha256", "sources", "minimum", "seed", "samples")}

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return the sentences, sorted by id, with the rows that are not cut; and what was added and dropped."""
        punkt = _tokenizer(self.model, self.sha256)
        rows: list[dict[str, Any]] = []
        added: Counter[str] = Counter()
        short: Counter[str] = Counter()
        samples: defaultdict[str, list[list[str]]] = defaultdict(list)
        for row in table.to_pylist():
            source = row["source"]
            sentences = punkt.tokenize(row["text"]) if source in self.sources and row["label"] is None else []
            if len(sentences) < 2:
                rows.append(row)
                continue
            added[source] += len(sentences) - 1
            for number, sentence in enumerate(sentences):
                name = sentence_id(row["id"], number, sentence)
                if len(sentence) < self.minimum:
                    short[source] += 1
                    samples[f"{source} {TOO_SHORT}"].append(drawn(self.seed, name, sentence))
                else:
                    rows.append({**row, "id": name, "text": sentence})
        rows.sort(key=lambda row: row["id"])
        report = Report(
            dropped={source: {TOO_SHORT: count} for source, count in sorted(short.items())},
            samples=smallest_samples([samples], self.samples),
            added={source: {ADDED: count} for source, count in sorted(added.items())},
        )
        return pa.Table.from_pylist(rows, table.schema), report


def sentence_id(row: str, number: int, sentence: str) -> str:
    """Return the id of a sentence, 32 hexadecimal digits, from that of its row and its number there."""
    return hashlib.blake2b(f"{row} {number} {sentence}".encode(), digest_size=_ID_BYTES).hexdigest()


def cut_sentences(
    shards: Sequence[Path], work: Path, engine: Engine, settings: Sentences, seed: int, samples: int
) -> tuple[list[Path], list[Manifest], bool]:
    """Cut the rows of shards into sentences.

    Args:
        shards: working shards, cleaned.
        work: a directory for what is made of them.
        engine: where shards are processed.
        settings: the section of params.yaml.
        seed: draws the texts to learn from, and the dropped sentences that are shown.
        samples: how many of these are shown for each source.

    Returns:
        The new shards, with the keys of their rows, their manifests, and whether Punkt has learnt from the corpus.
    """
    known = find_model(settings.language)
    model = known or train_model(sample_texts(shards, settings.sources, settings.characters, seed))
    path = work / "punkt.json"
    write_json(path, model)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    function = CutShard(path, digest, tuple(sorted(settings.sources)), settings.minimum_characters, seed, samples)
    return *apply(shards, work / "sentences", engine, Keyed(function)), known is None


def find_model(language: str) -> dict[str, Any] | None:
    """Return what NLTK's own data knows of a language, or None where they are not on this machine as a whole; nothing is downloaded."""
    try:
        return _plain(load_punkt_params(nltk.data.find(f"tokenizers/punkt_tab/{language}/")))
    except (LookupError, OSError, ValueError):
        return None


def sample_texts(shards: Iterable[Path], sources: Sequence[str], characters: int, seed: int) -> list[str]:
    """Return texts of these sources, drawn by seed and id whatever their order, that together have so many characters, or all."""
    kept: list[tuple[int, str, str]] = []  # a heap: of the texts with the smallest drawn numbers, the largest first
    held = 0
    for path in shards:
        for batch in batches_of(path, _BATCH, ["id", "source", "text"]):
            for row in batch.to_pylist():
                if row["source"] not in sources:
                    continue
                number = int.from_bytes(hashlib.blake2b(f"{seed} punkt {row['id']}".encode(), digest_size=8).digest(), "big")
                heapq.heappush(kept, (-number, row["id"], row["text"]))
                held += len(row["text"])
                while held - len(kept[0][2]) >= characters:
                    held -= len(heapq.heappop(kept)[2])
    return [text for _, _, text in sorted(kept, key=lambda one: (-one[0], one[1]))]


def train_model(texts: Iterable[str]) -> dict[str, Any]:
    """Return what Punkt learns from texts: abbreviations, words that belong together, words that begin sentences."""
    trainer = PunktTrainer()
    for text in texts:
        trainer.train(text, finalize=False)
    trainer.finalize_training()
    return _plain(trainer.get_params())


def _plain(known: PunktParameters) -> dict[str, Any]:
    return {
        "abbreviations": sorted(known.abbrev_types),
        "collocations": sorted([first, second] for first, second in known.collocations),
        "sentence_starters": sorted(known.sent_starters),
        "orthographic_contexts": dict(sorted(known.ortho_context.items())),
    }


@functools.cache
def _tokenizer(model: Path, sha256: str) -> PunktSentenceTokenizer:  # noqa: ARG001 (another content, another tokenizer)
    content = read_json(model)
    known = PunktParameters()
    known.abbrev_types = set(content["abbreviations"])
    known.collocations = {(first, second) for first, second in content["collocations"]}
    known.sent_starters = set(content["sentence_starters"])
    known.ortho_context.update(content["orthographic_contexts"])
    return PunktSentenceTokenizer(known)
