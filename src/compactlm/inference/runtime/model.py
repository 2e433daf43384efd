"""A finished model: its directory, its tokenizer and its runner, each loaded once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from compactlm.bert.arrays import Array
from compactlm.bert.batches import BATCH_TOKENS, Batch, make_batches, pad
from compactlm.errors import needs
from compactlm.inference.runtime.directories import Backend, ModelDirectory, find
from compactlm.inference.runtime.runner import Kind, Runner
from compactlm.inference.runtime.tokenizer import Tokenizer


def open_runner(directory: ModelDirectory, kind: Kind, threads: int) -> Runner:
    """Load the weights of a model.

    Args:
        directory: the directory of the model, and the backend that runs it.
        kind: which head the model has.
        threads: CPU threads; 0 uses all cores.

    Raises:
        CompactLMError: the file is damaged, does not fit its config.json, or the backend's packages are not installed.
    """
    # Each backend is imported only when it is used: torch and transformers take seconds.
    if directory.backend == "torch":
        with needs("train", "the torch backend"):
            from compactlm.inference.runtime.torch_backend import TorchRunner

        return TorchRunner(directory, kind, threads)
    from compactlm.inference.runtime.onnx_backend import OnnxRunner

    return OnnxRunner(directory, kind, threads)


class Model:
    """One of the models of a directory."""

    def __init__(self, root: Path, name: str, kind: Kind, backend: Backend = "auto", threads: int = 0) -> None:
        """Find the model and load its tokenizer. The weights are loaded at first use.

        Args:
            root: a directory of models, or of one model.
            name: mlm, embedding or a task.
            kind: which head the model has.
            backend: torch, onnx, int8, or auto (ONNX if there is an ONNX file).
            threads: CPU threads; 0 uses all cores.

        Raises:
            CompactLMError: there is no such model, or it is damaged.
        """
        self.directory: ModelDirectory = find(root, name, backend)
        self.kind, self.threads = kind, threads
        self._opened: tuple[int, Runner] | None = None  # the process that loaded the weights
        self._lock = threading.Lock()  # several threads load the weights once
        self.tokenizer = Tokenizer(self.directory.path, self.directory.limit, self.directory.vocabulary_size)

    @property
    def runner(self) -> Runner:
        """The loaded weights. A forked process loads them again, because the threads of a runner do not survive a fork."""
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = os.getpid(), open_runner(self.directory, self.kind, self.threads)
            return self._opened[1]

    def batch(self, sequences: Sequence[Sequence[int]], seconds: Sequence[int | None] | None = None) -> Batch:
        """Return sequences as one batch, which must fit the model. `seconds` has the positions of second texts (batches.pad)."""
        return pad(sequences, self.tokenizer.pad, seconds)

    def batches(self, sequences: Sequence[Sequence[int]], batch_tokens: int = BATCH_TOKENS) -> Iterator[tuple[list[int], Batch]]:
        """Yield batches of sequences of similar length, each with the positions of its rows in `sequences`."""
        for rows in make_batches([len(sequence) for sequence in sequences], batch_tokens):
            yield rows, self.batch([sequences[row] for row in rows])

    def masked_logits(self, sequences: Sequence[Sequence[int]], positions: Sequence[int]) -> Iterator[tuple[list[int], Array]]:
        """Yield the logits at one position of each sequence.

        Args:
            sequences: token ids.
            positions: one position for each sequence.

        Yields:
            The indices of some sequences and their logits, float32 [rows, vocabulary].
        """
        for rows, batch in self.batches(sequences):
            where = batch.input_ids != batch.input_ids
            where[range(len(rows)), [positions[row] for row in rows]] = True
            yield rows, self.runner.masked_logits(batch, where)
