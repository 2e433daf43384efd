"""Classify texts: one, or a stream of them at the speed of full batches."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from weakref import WeakKeyDictionary

import numpy as np

from compactlm.bert.arrays import Array, softmax
from compactlm.bert.batches import make_batches
from compactlm.inference.runtime.backends import Runner, open_runner
from compactlm.inference.runtime.model import Model
from compactlm.inference.runtime.word_pieces import WordPieces

TEXTS_AT_ONCE = 4096  # sorted by length together
MOST_WORKERS = 8  # each holds a batch's hidden states
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
            ids = model.pieces.encode(chunk)
            yield from _answers(model, ids, model.runner.task_logits(model.batch([model.pieces.cut(one) for one in ids])))
        return
    encode = WordPieces(model.pieces).encode
    crew = _CREWS.get(model) or _CREWS.setdefault(model, _Crew(model))
    tokenizer, workers = ThreadPoolExecutor(1, "tokenizer"), ThreadPoolExecutor(crew.workers, "model")
    try:
        ahead: Future[list[Sequence[int]]] | None = None
        running: _Chunk | None = None
        # Texts are taken here and not in a thread, which could not be interrupted while it waits for standard input.
        for chunk in itertools.chain(chunks, ([], [])):  # two more turns, for what is under way when the texts end
            before, ahead = ahead, tokenizer.submit(encode, chunk) if chunk else None
            done, running = running, _Chunk(model, crew.runner, before.result(), workers) if before else None
            if done:
                yield from done.answers()
    finally:
        for pool in (tokenizer, workers):
            pool.shutdown(cancel_futures=True)


class _Crew:
    """Threads that each run batches of their own, so that none is idle between two operators or while a batch is made.

    On ONNX Runtime each has one thread of the model's (or more, where there are very many), which takes a runner beside the model's own;
    torch has one pool of threads for all, so there a single one runs the batches.
    """

    def __init__(self, model: Model) -> None:
        threads = model.threads or os.cpu_count() or 1
        self.workers = 1 if model.directory.backend == "torch" else min(threads, MOST_WORKERS)
        if self.workers > 1:
            self.runner = open_runner(model.directory, model.kind, threads // self.workers)
        else:
            self.runner = model.runner


_CREWS: WeakKeyDictionary[Model, _Crew] = WeakKeyDictionary()  # so that a model's second runner is opened once


class _Chunk:
    """Sequences that are being classified, in batches of similar length."""

    def __init__(self, model: Model, runner: Runner, sequences: Sequence[Sequence[int]], workers: ThreadPoolExecutor) -> None:
        self._model, self._sequences = model, sequences
        limit, cut = model.pieces.limit, model.pieces.cut
        fitting = [ids if len(ids) <= limit else cut(ids) for ids in sequences]
        self._batches = make_batches([len(ids) for ids in fitting])

        def run(rows: list[int]) -> Array:
            return runner.task_logits(model.batch([fitting[row] for row in rows]))

        self._logits = workers.map(run, self._batches)

    def answers(self) -> Iterator[Classification]:
        """Yield the answers in the order of the sequences, when all are there."""
        logits = np.empty((len(self._sequences), len(self._model.directory.labels)), dtype=np.float32)
        for rows, found in zip(self._batches, self._logits, strict=True):
            logits[rows] = found
        return _answers(self._model, self._sequences, logits)


def _answers(model: Model, sequences: Sequence[Sequence[int]], logits: Array) -> Iterator[Classification]:
    probabilities = softmax(logits)
    labels, limit = model.directory.labels, model.pieces.limit
    for sequence, row, best in zip(sequences, probabilities.tolist(), _decide(model, probabilities), strict=True):
        yield Classification(labels[best], row[best], dict(zip(labels, row, strict=True)), len(sequence) > limit)


def _decide(model: Model, probabilities: Array) -> list[int]:
    if model.directory.threshold is None:
        return probabilities.argmax(axis=1).tolist()
    return (probabilities[:, 1] >= model.directory.threshold).astype(int).tolist()
