"""Classify texts: one, or a stream of them at the speed of full batches."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from compactlm.inference.batching import Array, softmax
from compactlm.inference.model import Model
from compactlm.inference.word_pieces import WordPieces

TEXTS_AT_ONCE = 4096  # sorted by length together
FIRST_TEXTS = 512  # fewer, since the model waits while these are tokenized


@dataclasses.dataclass(frozen=True)
class Classification:
    """What a task's model says of a text.

    Attributes:
        label: the label given.
        probability: of that label, 0 to 1.
        probabilities: of each label; their sum is 1.
        cut: whether the text was longer than the model can read, so that only its start was read.
    """

    label: str
    probability: float
    probabilities: dict[str, float]
    cut: bool


def classify(model: Model, texts: Iterable[str], texts_at_once: int = TEXTS_AT_ONCE) -> Iterator[Classification]:
    """Yield one classification a text, in the order of the texts.

    With two labels and a `decision_threshold` in the model's config.json the second label is given from that probability
    on; otherwise the likeliest label is given.

    Args:
        model: a task's.
        texts: any number of them; `texts_at_once` are taken at a time, and tokenized while those before are classified.
        texts_at_once: 1 answers each text before the next is taken.
    """
    source = iter(texts)
    sizes = itertools.chain([min(FIRST_TEXTS, texts_at_once)], itertools.repeat(texts_at_once))
    chunks = iter(lambda: list(itertools.islice(source, next(sizes))), [])
    if texts_at_once == 1:
        for chunk in chunks:
            yield from _classify(model, model.pieces.encode(chunk))
        return
    encode = WordPieces(model.pieces).encode
    # Texts are taken here and not in the thread, which could not be interrupted while it waits for standard input.
    with ThreadPoolExecutor(1, "tokenizer") as pool:
        before: Future[list[Sequence[int]]] | None = None
        for chunk in chunks:
            ahead = pool.submit(encode, chunk)
            if before:
                yield from _classify(model, before.result())
            before = ahead
        if before:
            yield from _classify(model, before.result())


def _classify(model: Model, sequences: Sequence[Sequence[int]]) -> Iterator[Classification]:
    logits = np.empty((len(sequences), len(model.directory.labels)), dtype=np.float32)
    labels, limit = model.directory.labels, model.pieces.limit
    for rows, batch in model.batches([ids if len(ids) <= limit else model.pieces.cut(ids) for ids in sequences]):
        logits[rows] = model.runner.task_logits(batch)
    probabilities = softmax(logits)
    for sequence, row, best in zip(sequences, probabilities.tolist(), _decide(model, probabilities), strict=True):
        yield Classification(labels[best], row[best], dict(zip(labels, row, strict=True)), len(sequence) > limit)


def _decide(model: Model, probabilities: Array) -> list[int]:
    if model.directory.threshold is None:
        return probabilities.argmax(axis=1).tolist()
    return (probabilities[:, 1] >= model.directory.threshold).astype(int).tolist()
