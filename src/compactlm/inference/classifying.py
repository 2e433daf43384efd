"""Classify one text, or a stream of texts in full batches."""

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
from compactlm.inference.runtime.model import Model, open_runner
from compactlm.inference.runtime.runner import Runner
from compactlm.inference.runtime.word_cache import WordCache

TEXTS_AT_ONCE = 4096  # this many texts are sorted by length together
MOST_WORKERS = 8  # each worker holds the hidden states of a batch
FIRST_TEXTS = 512  # the first chunk is small, because the model waits while it is tokenized


@dataclasses.dataclass(frozen=True)
class Classification:
    """The answer of a task's model.

    Attributes:
        label: the label.
        probability: the probability of that label, 0 to 1.
        probabilities: the probability of each label; they sum to 1.
        cut: whether the text was truncated because it is longer than the model accepts.
        unknown: whether half of the text or more is unknown to the vocabulary, or the text has no tokens; the label then means little.
        threshold: the probability of the second of two labels from which on that label is given; None if the likeliest label is given.
    """

    label: str
    probability: float
    probabilities: dict[str, float]
    cut: bool
    unknown: bool
    threshold: float | None


def classify(
    model: Model, texts: Iterable[str], texts_at_once: int = TEXTS_AT_ONCE, first_texts: int = FIRST_TEXTS
) -> Iterator[Classification]:
    """Yield one classification for each text, in order.

    With two labels and a `decision_threshold` in the model's config.json, the second label is given from that probability
    on; otherwise the likeliest label is given.

    Args:
        model: a task's model.
        texts: any number of texts, taken in chunks. One chunk is tokenized while the previous one is classified.
        texts_at_once: the size of a chunk; 1 answers each text before the next one is taken.
        first_texts: the size of the first chunk, if that is smaller.
    """
    source = iter(texts)
    sizes = itertools.chain([min(first_texts, texts_at_once)], itertools.repeat(texts_at_once))
    chunks = iter(lambda: list(itertools.islice(source, next(sizes))), [])
    if texts_at_once == 1:
        for chunk in chunks:
            ids = model.tokenizer.encode(chunk)
            yield from classifications(model, ids, model.runner.task_logits(model.batch([model.tokenizer.cut(one) for one in ids])))
        return
    encode = WordCache(model.tokenizer).encode
    runner, size = _CREWS.get(model) or _CREWS.setdefault(model, _open_crew(model))
    tokenizer, workers = ThreadPoolExecutor(1, "tokenizer"), ThreadPoolExecutor(size, "model")
    try:
        ahead: Future[list[Sequence[int]]] | None = None
        running: _Chunk | None = None
        # Texts are read in this thread: Ctrl-C cannot interrupt another thread that waits for standard input.
        for chunk in itertools.chain(chunks, ([], [])):  # two more rounds finish the last two chunks
            before, ahead = ahead, tokenizer.submit(encode, chunk) if chunk else None
            done, running = running, _Chunk(model, runner, before.result(), workers) if before else None
            if done:
                yield from done.answers()
    finally:
        for pool in (tokenizer, workers):
            pool.shutdown(cancel_futures=True)


def _open_crew(model: Model) -> tuple[Runner, int]:
    """Return a runner and the number of worker threads that each run their own batches, so that no core is idle between two operators.

    On ONNX Runtime each worker uses one thread of a second runner (several, on machines with many cores). torch shares one
    thread pool, so a single worker runs its batches.
    """
    threads = model.threads or os.cpu_count() or 1
    workers = 1 if model.directory.backend == "torch" else min(threads, MOST_WORKERS)
    return open_runner(model.directory, model.kind, threads // workers) if workers > 1 else model.runner, workers


_CREWS: WeakKeyDictionary[Model, tuple[Runner, int]] = WeakKeyDictionary()  # a model's second runner is opened once


class _Chunk:
    """Sequences that are being classified, in batches of similar length."""

    def __init__(self, model: Model, runner: Runner, sequences: Sequence[Sequence[int]], workers: ThreadPoolExecutor) -> None:
        self._model, self._sequences = model, sequences
        limit, cut = model.tokenizer.limit, model.tokenizer.cut
        fitting = [ids if len(ids) <= limit else cut(ids) for ids in sequences]
        self._batches = make_batches([len(ids) for ids in fitting])

        def run(rows: list[int]) -> Array:
            return runner.task_logits(model.batch([fitting[row] for row in rows]))

        self._logits = workers.map(run, self._batches)

    def answers(self) -> Iterator[Classification]:
        """Wait for all batches and yield the answers in the order of the sequences."""
        logits = np.empty((len(self._sequences), len(self._model.directory.labels)), dtype=np.float32)
        for rows, found in zip(self._batches, self._logits, strict=True):
            logits[rows] = found
        return classifications(self._model, self._sequences, logits)


def classifications(model: Model, sequences: Sequence[Sequence[int]], logits: Array) -> Iterator[Classification]:
    """Yield the classification of each sequence of token ids, not truncated, given its logits, float32 [sequences, labels]."""
    probabilities = softmax(logits)
    labels, limit, threshold = model.directory.labels, model.tokenizer.limit, model.directory.threshold
    chosen = probabilities.argmax(axis=1) if threshold is None else (probabilities[:, 1] >= threshold).astype(int)
    fragments = model.tokenizer.fragments
    for sequence, row, best in zip(sequences, probabilities.tolist(), chosen.tolist(), strict=True):
        tokens = len(sequence) - 2  # without [CLS] and [SEP]
        unknown = 2 * sum(map(fragments.__contains__, sequence)) >= tokens
        yield Classification(labels[best], row[best], dict(zip(labels, row, strict=True)), len(sequence) > limit, unknown, threshold)
