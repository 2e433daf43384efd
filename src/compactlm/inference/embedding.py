"""Sentence embeddings: one unit vector for each text."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array, unit
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.model import Model
from compactlm.inference.runtime.projection import FILE, LAST, LAYERS, Projection, fit_whitening

TEXTS_AT_ONCE = 4096


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Cosine similarity of two texts, -1 to 1, and Euclidean distance of their unit vectors, 0 to 2."""

    similarity: float
    distance: float


class SentenceEmbedding:
    """Converts texts to unit vectors: the mean of the hidden states, projected if the model has a projection.

    A text that is longer than the model accepts is split, and every part counts. A text without tokens has the zero vector,
    whose similarity with every text is 0.
    """

    def __init__(self, model: Model, projection: Projection | None) -> None:
        """Take a model of the kind "embedding" and its projection, if it has one."""
        self.model, self.projection = model, projection

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of everything that the vectors depend on: weights, tokenizer and projection."""
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
        """Return the mean hidden states of each text, float32 [texts, layers * width], and its number of tokens, float32 [texts].

        [CLS], [SEP] and padding do not count. `texts` must not be empty.
        """
        tokenizer, sequences, owners = self.model.tokenizer, [], []
        for owner, ids in enumerate(tokenizer.encode(texts)):
            windows = tokenizer.windows(ids)
            sequences += windows
            owners += [owner] * len(windows)
        weights = np.array([len(sequence) - 2 for sequence in sequences], dtype=np.float32)
        parts: Array | None = None
        for rows, batch in self.model.batches(sequences):
            found = np.concatenate([self._mean(hidden, batch.input_ids) for hidden in self.model.runner.hidden(batch, layers)], axis=-1)
            parts = np.zeros((len(sequences), found.shape[-1]), dtype=np.float32) if parts is None else parts
            parts[rows] = found
        assert parts is not None  # noqa: S101 - texts is not empty
        means, totals = np.zeros((len(texts), parts.shape[1]), dtype=np.float32), np.zeros(len(texts), dtype=np.float32)
        np.add.at(means, owners, parts * weights[:, None])
        np.add.at(totals, owners, weights)
        return means / np.maximum(totals, 1)[:, None], totals

    def _mean(self, hidden: Array, input_ids: Array) -> Array:
        """Return the mean hidden state of each row; the output of a model that pools is returned unchanged."""
        if hidden.ndim == 2:
            return hidden
        tokenizer = self.model.tokenizer
        own = ~np.isin(input_ids, (tokenizer.pad, tokenizer.cls, tokenizer.sep))
        mean: Array = (hidden * own[:, :, None]).sum(axis=1) / np.maximum(own.sum(axis=1), 1)[:, None]
        return mean


def compare(first: Array, second: Array) -> Comparison:
    """Compare two unit vectors."""
    similarity = float(np.clip(first @ second, -1, 1))
    return Comparison(similarity, float(np.linalg.norm(first - second)))


def fewest_texts(width: int) -> int:
    """Return the number of texts that `fit_projection` needs for a model of this hidden size."""
    return 2 * len(LAYERS) * width


def fit_projection(model: Model, texts: Sequence[str]) -> Projection:
    """Fit the projection from mean hidden states to sentence embeddings on unlabelled texts.

    Args:
        model: a model of the kind "embedding", with the hidden states of the embeddings and the last layer.
        texts: sentences and passages, at least `fewest_texts`.

    Raises:
        CompactLMError: there are too few texts.
    """
    means, totals = SentenceEmbedding(model, None).means(texts, LAYERS)
    means = means[totals > 0]
    needed = fewest_texts(model.directory.width)
    if len(means) < needed:
        raise CompactLMError(f"there are {len(means):,} texts but a sentence embedding is fitted on at least {needed:,}; add more text")
    return fit_whitening(means)
