"""Sentence embeddings: one vector a text, for comparing texts."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import numpy as np

from compactlm.inference.batching import Array
from compactlm.inference.model import Model
from compactlm.inference.projection import FILE, Projection

TEXTS_AT_ONCE = 4096


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How near two texts are: cosine similarity, -1 to 1, and Euclidean distance of the unit vectors, 0 to 2."""

    similarity: float
    distance: float


class SentenceEmbedding:
    """Texts to unit vectors: the mean of a text's pieces, projected as the model's directory says.

    A text longer than the model reads is read in parts, and no part is left out. A text without any piece has the vector
    0, whose similarity with everything is 0.
    """

    def __init__(self, model: Model, projection: Projection | None) -> None:
        """Take a model with hidden states, and what its vectors are multiplied by, if anything."""
        self.model, self.projection = model, projection

    @functools.cached_property
    def fingerprint(self) -> str:
        """Stands for all that the vectors depend on: weights, tokenizer, projection."""
        directory = self.model.directory
        files = [directory.weights, directory.path / "tokenizer.json", directory.path / FILE]
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.read_bytes() if path.is_file() else b"none")
        return digest.hexdigest()

    def embed(self, texts: Sequence[str]) -> Array:
        """Return a unit vector for each text, float32 [texts, width]."""
        parts = [self._embed(texts[start : start + TEXTS_AT_ONCE]) for start in range(0, len(texts), TEXTS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float32)

    def _embed(self, texts: Sequence[str]) -> Array:
        pieces = self.model.pieces
        sequences, owners = [], []
        for owner, ids in enumerate(pieces.encode(texts)):
            windows = pieces.windows(ids)
            sequences += windows
            owners += [owner] * len(windows)
        weights = np.array([len(sequence) - 2 for sequence in sequences], dtype=np.float32)
        pooled: Array | None = None
        for rows, batch in self.model.batches(sequences):
            means = self._means(self.model.runner.hidden(batch), batch.input_ids)
            if pooled is None:
                pooled = np.zeros((len(sequences), means.shape[-1]), dtype=np.float32)
            pooled[rows] = means
        assert pooled is not None  # noqa: S101 - there is a text
        vectors = np.zeros((len(texts), pooled.shape[1]), dtype=np.float32)
        totals = np.zeros(len(texts), dtype=np.float32)
        np.add.at(vectors, owners, pooled * weights[:, None])
        np.add.at(totals, owners, weights)
        vectors /= np.maximum(totals, 1)[:, None]
        if self.projection:
            vectors = self.projection.apply(vectors)
        vectors[totals == 0] = 0
        return unit(vectors)

    def _means(self, hidden: Array, input_ids: Array) -> Array:
        """Return the mean hidden state of each row's own pieces; what a model has pooled by itself is left as it is."""
        if hidden.ndim == 2:
            return hidden
        pieces = self.model.pieces
        own = ~np.isin(input_ids, (pieces.pad, pieces.cls, pieces.sep))
        means: Array = (hidden * own[:, :, None]).sum(axis=1) / np.maximum(own.sum(axis=1), 1)[:, None]
        return means


def unit(vectors: Array) -> Array:
    """Return rows of length 1, float32; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(lengths > 1e-12, lengths, 1)).astype(np.float32)


def compare(first: Array, second: Array) -> Comparison:
    """Return how near two unit vectors are."""
    similarity = float(np.clip(first @ second, -1, 1))
    return Comparison(similarity, float(np.linalg.norm(first - second)))
