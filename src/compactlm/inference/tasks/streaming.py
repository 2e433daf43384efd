"""Run a task's model over a stream of rows in full batches."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

from compactlm.bert.arrays import Array
from compactlm.bert.batches import make_batches
from compactlm.inference.runtime.model import Model, open_runner
from compactlm.inference.runtime.runner import Runner
from compactlm.tasks import kind_of
from compactlm.tasks.base import Example, Input

MOST_WORKERS = 8  # each worker holds the hidden states of a batch
FIRST_ROWS = 512  # the first chunk is small, because the model waits while it is tokenized


@dataclasses.dataclass(frozen=True, slots=True)
class Encoded:
    """A row, encoded as sequences that fit the model.

    Attributes:
        row: the row.
        examples: one sequence, or several windows of a long text.
        cut: whether the end of the row was left out because it is longer than the model accepts.
        unknown: whether at least half of the text is unknown to the vocabulary, or a text has no tokens. The answer then means little.
    """

    row: Input
    examples: list[Example]
    cut: bool
    unknown: bool


Encode = Callable[[Sequence[Input]], list[Encoded]]
Outputs = list[list[Array]]  # for each row and each of its sequences, float32 [outputs] or [tokens, outputs]


def stream(
    model: Model, rows: Iterable[Input], encode: Encode, rows_at_once: int, first_rows: int = FIRST_ROWS
) -> Iterator[tuple[list[Encoded], Outputs]]:
    """Yield the rows in order, each with the outputs of the model.

    Args:
        model: a task's model.
        rows: any number of rows, taken in chunks. A chunk is tokenized while the model runs on the previous one.
        encode: a function that turns a chunk into sequences.
        rows_at_once: the size of a chunk. The sequences of a chunk are sorted by length. With 1, each row is answered before the next one
            is taken.
        first_rows: the size of the first chunk, if it should be smaller.
    """
    source = iter(rows)
    sizes = itertools.chain([min(first_rows, rows_at_once)], itertools.repeat(rows_at_once))
    chunks = iter(lambda: list(itertools.islice(source, next(sizes))), [])
    if rows_at_once == 1:
        for chunk in chunks:
            encoded = encode(chunk)
            yield encoded, run(model, encoded)
        return
    runner, size = _crew(model)
    tokenizer, workers = ThreadPoolExecutor(1, "tokenizer"), ThreadPoolExecutor(size, "model")
    try:
        ahead: Future[list[Encoded]] | None = None
        running: _Chunk | None = None
        # Rows are read in this thread: Ctrl-C cannot interrupt another thread that waits for standard input.
        for chunk in itertools.chain(chunks, ([], [])):  # two more rounds finish the last two chunks
            before, ahead = ahead, tokenizer.submit(encode, chunk) if chunk else None
            done, running = running, _Chunk(model, runner, before.result(), workers) if before else None
            if done:
                yield done.encoded, done.outputs()
    finally:
        for pool in (tokenizer, workers):
            pool.shutdown(cancel_futures=True)


def run(model: Model, encoded: Sequence[Encoded]) -> Outputs:
    """Return the outputs of a few rows."""
    examples = [example for one in encoded for example in one.examples]
    found: dict[int, Array] = {}
    for rows in make_batches([len(one.input_ids) for one in examples]):
        found.update(zip(rows, _outputs(model, model.runner, [examples[row] for row in rows]), strict=True))
    return _by_row(encoded, found)


def answers(model: Model, encoded: Sequence[Encoded], outputs: Outputs) -> Any:
    """Return the answers to rows, given the outputs of the model, in the form of the task's kind; see Kind.answers."""
    task = model.directory.task
    examples, rows = [one.examples for one in encoded], [one.row for one in encoded]
    return kind_of(task).answers(outputs, examples, rows, task, model.directory.config)


def _outputs(model: Model, runner: Runner, examples: Sequence[Example]) -> list[Array]:
    """Return the outputs of a batch of sequences, without padding."""
    batch = model.batch([one.input_ids for one in examples], [one.second for one in examples] if examples[0].second else None)
    found = runner.task_logits(batch)
    if found.ndim == 2:
        return list(found)
    return [outputs[: len(one.input_ids)] for one, outputs in zip(examples, found, strict=True)]


def _by_row(encoded: Sequence[Encoded], outputs: Mapping[int, Array]) -> Outputs:
    """Return the outputs of each row, given those of each sequence by its number."""
    remaining = iter(range(len(outputs)))
    return [[outputs[next(remaining)] for _ in one.examples] for one in encoded]


def _crew(model: Model) -> tuple[Runner, int]:
    """Return a runner and a number of worker threads. Each thread runs its own batches, so no core is idle between two operators.

    On ONNX Runtime each worker uses one thread of a second runner (several, on machines with many cores). torch shares one
    thread pool, so a single worker runs its batches.
    """
    threads = model.threads or os.cpu_count() or 1
    size = 1 if model.directory.backend == "torch" else min(threads, MOST_WORKERS)
    if size == 1:
        return model.runner, size
    process, runner = _RUNNERS.get(model, (None, None))
    if runner is None or process != os.getpid():  # the threads of a runner do not survive a fork
        runner = open_runner(model.directory, model.kind, threads // size)
        _RUNNERS[model] = os.getpid(), runner
    return runner, size


_RUNNERS: WeakKeyDictionary[Model, tuple[int, Runner]] = WeakKeyDictionary()  # a model's second runner is opened once in a process


class _Chunk:
    """Rows on which the model runs in the background, in batches of similar length."""

    def __init__(self, model: Model, runner: Runner, encoded: list[Encoded], workers: ThreadPoolExecutor) -> None:
        self.encoded = encoded
        examples = [example for one in encoded for example in one.examples]
        self._batches = make_batches([len(one.input_ids) for one in examples])

        def outputs(rows: list[int]) -> list[Array]:
            return _outputs(model, runner, [examples[row] for row in rows])

        self._found = workers.map(outputs, self._batches)

    def outputs(self) -> Outputs:
        """Wait for all batches and return the outputs in the order of the rows."""
        found: dict[int, Array] = {}
        for rows, outputs in zip(self._batches, self._found, strict=True):
            found.update(zip(rows, outputs, strict=True))
        return _by_row(self.encoded, found)
