"""Sentence embeddings: one vector a text, for comparing texts."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.model import Model
from compactlm.inference.runtime.projection import FILE, LAST, LAYERS, Projection, fit_whitening

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
        means, totals = self.means(texts, self.projection.layers if self.projection else (LAST,))
        vectors = self.projection.apply(means) if self.projection else means
        vectors[totals == 0] = 0
        return unit(vectors)

    def means(self, texts: Sequence[str], layers: Sequence[int]) -> tuple[Array, Array]:
        """Return the mean hidden states of each text's own pieces, float32 [texts, layers * width], and how many pieces there are."""
        pieces, sequences, owners = self.model.pieces, [], []
        for owner, ids in enumerate(pieces.encode(texts)):
            windows = pieces.windows(ids)
            sequences += windows
            owners += [owner] * len(windows)
        weights = np.array([len(sequence) - 2 for sequence in sequences], dtype=np.float32)
        parts: Array | None = None
        for rows, batch in self.model.batches(sequences):
            found = np.concatenate([self._mean(hidden, batch.input_ids) for hidden in self.model.runner.hidden(batch, layers)], axis=-1)
            parts = np.zeros((len(sequences), found.shape[-1]), dtype=np.float32) if parts is None else parts
            parts[rows] = found
        assert parts is not None  # noqa: S101 - there is a text
        means, totals = np.zeros((len(texts), parts.shape[1]), dtype=np.float32), np.zeros(len(texts), dtype=np.float32)
        np.add.at(means, owners, parts * weights[:, None])
        np.add.at(totals, owners, weights)
        return means / np.maximum(totals, 1)[:, None], totals

    def _mean(self, hidden: Array, input_ids: Array) -> Array:
        """Return the mean hidden state of each row's own pieces; what a model has pooled by itself is left as it is."""
        if hidden.ndim == 2:
            return hidden
        pieces = self.model.pieces
        own = ~np.isin(input_ids, (pieces.pad, pieces.cls, pieces.sep))
        mean: Array = (hidden * own[:, :, None]).sum(axis=1) / np.maximum(own.sum(axis=1), 1)[:, None]
        return mean


def unit(vectors: Array) -> Array:
    """Return rows of length 1, float32; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(lengths > 1e-12, lengths, 1)).astype(np.float32)


def compare(first: Array, second: Array) -> Comparison:
    """Return how near two unit vectors are."""
    similarity = float(np.clip(first @ second, -1, 1))
    return Comparison(similarity, float(np.linalg.norm(first - second)))


def fewest_texts(width: int) -> int:
    """Return how many texts `fit_projection` needs for a model with hidden states of this width."""
    return 2 * len(LAYERS) * width


def fit_projection(model: Model, texts: Sequence[str]) -> Projection:
    """Return the projection that makes a model's means of hidden states a sentence embedding, fitted on texts without labels.

    Args:
        model: one of the kind "embedding", that gives its first and its last hidden states.
        texts: sentences and passages, at least `fewest_texts`.

    Raises:
        CompactLMError: there are too few texts.
    """
    means, totals = SentenceEmbedding(model, None).means(texts, LAYERS)
    means = means[totals > 0]
    needed = fewest_texts(model.directory.width)
    if len(means) < needed:
        raise CompactLMError(f"a sentence embedding is fitted on {needed:,} texts or more, and there are {len(means):,}; add some")
    return fit_whitening(means)
