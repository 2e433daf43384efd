"""Sentence embeddings: one unit vector for each text."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array, unit
from compactlm.bert.batches import Batch
from compactlm.bert.sentence_encoder.modules import SentenceModules, is_sentence_encoder, module_files
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.model import Model
from compactlm.inference.runtime.projection import FILE, LAST, LAYERS, Projection, fit_whitening, load_projection

TEXTS_AT_ONCE = 4096


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Cosine similarity of two texts, -1 to 1, and Euclidean distance of their unit vectors, 0 to 2."""

    similarity: float
    distance: float


class SentenceEmbedding:
    """Converts texts to unit vectors.

    A sentence encoder (a directory with modules.json) gives the vectors of sentence-transformers. Any other model gives the mean of
    its hidden states without [CLS] and [SEP], projected if it has a projection.

    A text that is longer than the model or the encoder's maximum length allows is split, and its parts are weighted by their numbers of
    tokens. sentence-transformers truncates such a text instead. A text without tokens has the zero vector, whose similarity with every text
    is 0.
    """

    def __init__(
        self, model: Model, projection: Projection | None = None, modules: SentenceModules | None = None, truncate: bool = False
    ) -> None:
        """Take a model of the kind "embedding" and its projection or modules, if any. `truncate` drops the end of a long text."""
        self.model, self.projection, self.modules, self.truncate = model, projection, modules, truncate

    @classmethod
    def open(cls, model: Model) -> SentenceEmbedding:
        """Read the modules or the projection next to a model.

        Raises:
            CompactLMError: the files are damaged, or do not fit the model.
        """
        path = model.directory.path
        if is_sentence_encoder(path):
            return cls(model, modules=SentenceModules.read(path))
        return cls(model, load_projection(path, model.directory.width))

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of everything that the vectors depend on: weights, tokenizer, and projection or modules."""
        directory = self.model.directory
        files = [directory.weights, directory.path / "tokenizer.json", directory.path / FILE]
        digest = hashlib.sha256()
        for path in [*files, *(module_files(directory.path) if self.modules else ())]:
            digest.update(path.read_bytes() if path.is_file() else b"none")
        return digest.hexdigest()

    def embed(self, texts: Sequence[str]) -> Array:
        """Return a unit vector for each text, float32 [texts, width]."""
        parts = [self._embed(texts[start : start + TEXTS_AT_ONCE]) for start in range(0, len(texts), TEXTS_AT_ONCE)]
        return np.concatenate(parts) if parts else self._embed(["a"])[:0]  # the width of a text's vector

    def _embed(self, texts: Sequence[str]) -> Array:
        if self.modules:
            means, totals = self._averages(self.modules.prepare(texts), (LAST,), self.modules)
            vectors = self.modules.apply(means)
        else:
            means, totals = self.means(texts, self.projection.layers if self.projection else (LAST,))
            vectors = self.projection.apply(means) if self.projection else means
        vectors[totals == 0] = 0
        return unit(vectors)

    def means(self, texts: Sequence[str], layers: Sequence[int]) -> tuple[Array, Array]:
        """Return each text's mean hidden states, float32 [texts, layers * width], and number of tokens, float32 [texts].

        [CLS], [SEP] and padding do not count. `texts` must not be empty.
        """
        return self._averages(texts, layers, None)

    def _averages(self, texts: Sequence[str], layers: Sequence[int], modules: SentenceModules | None) -> tuple[Array, Array]:
        """Return the mean of the pooled parts of each text, and its number of tokens without [CLS] and [SEP].

        Parts are pooled as `modules` says, or by their mean without [CLS] and [SEP]. Each part is weighted by its number of pooled tokens.
        """
        tokenizer, sequences, owners, starts = self.model.tokenizer, [], [], []
        prompt = self._prompt_tokens(modules)
        for owner, ids in enumerate(tokenizer.encode(texts)):
            windows = tokenizer.windows(ids, modules.maximum_length if modules else None)[: 1 if self.truncate else None]
            sequences += windows
            owners += [owner] * len(windows)
            starts += [min(prompt, len(windows[0]) - 1), *[0] * (len(windows) - 1)]  # only the first part has the prompt
        start = np.array(starts)
        tokens = np.array([len(sequence) - 2 for sequence in sequences], dtype=np.float32) - np.maximum(start - 1, 0)
        weights = tokens + np.where(start > 0, 1, 2) if modules else tokens
        parts: Array | None = None
        for rows, batch in self.model.batches(sequences):
            mask = self._counted(batch, start[rows], modules)
            pooled = [self._pool(hidden, mask, modules) for hidden in self.model.runner.hidden(batch, layers)]
            found = np.concatenate(pooled, axis=-1)
            parts = np.zeros((len(sequences), found.shape[-1]), dtype=np.float32) if parts is None else parts
            parts[rows] = found
        assert parts is not None  # noqa: S101 - texts is not empty
        means = np.zeros((len(texts), parts.shape[1]), dtype=np.float32)
        np.add.at(means, owners, parts * weights[:, None])
        totals, sums = (np.bincount(owners, values, len(texts)).astype(np.float32) for values in (tokens, weights))
        return means / np.maximum(sums, 1)[:, None], totals

    def _prompt_tokens(self, modules: SentenceModules | None) -> int:
        """Return how many tokens at the start of a text are left out of the pooling, including [CLS]; 0 if the prompt is pooled."""
        if modules is None or modules.include_prompt or not modules.prompt:
            return 0
        return len(self.model.tokenizer.encode([modules.prompt])[0]) - 1

    def _counted(self, batch: Batch, start: Array, modules: SentenceModules | None) -> Array:
        """Return a mask of the tokens that are pooled, [rows, tokens]. In each row they begin at `start`."""
        if modules:
            return batch.attention_mask * (np.arange(batch.input_ids.shape[1]) >= start[:, None])
        tokenizer = self.model.tokenizer
        return ~np.isin(batch.input_ids, (tokenizer.pad, tokenizer.cls, tokenizer.sep))

    def _pool(self, hidden: Array, mask: Array, modules: SentenceModules | None) -> Array:
        """Return the pooled hidden states of each row. If the model itself pools, its output is returned unchanged."""
        if hidden.ndim == 2:
            return hidden
        if modules:
            return modules.pool(hidden, mask)
        mean: Array = (hidden * mask[:, :, None]).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)[:, None]
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
