"""A finished model: its directory, its tokenizer and what runs it, each loaded once."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from compactlm.bert.arrays import Array
from compactlm.bert.batches import BATCH_TOKENS, Batch, make_batches, pad
from compactlm.inference.runtime.backends import Kind, Runner, open_runner
from compactlm.inference.runtime.directories import Backend, ModelDirectory, find
from compactlm.inference.runtime.pieces import Pieces


class Model:
    """One of the models of a directory."""

    def __init__(self, root: Path, name: str, kind: Kind, backend: Backend = "auto", threads: int = 0) -> None:
        """Find the model; its weights are read when they are first used.

        Args:
            root: a directory of models, or of one model.
            name: mlm, embedding or a task.
            kind: which head it has.
            backend: torch, onnx, int8, or auto: ONNX where there is a file for it.
            threads: of the CPU; 0 for as many as there are cores.

        Raises:
            CompactLMError: there is no such model, or it is damaged.
        """
        self.directory: ModelDirectory = find(root, name, backend)
        self.kind, self.threads = kind, threads
        self.pieces = Pieces(self.directory.path, self.directory.limit, self.directory.vocabulary_size)

    @functools.cached_property
    def runner(self) -> Runner:
        """What runs it."""
        return open_runner(self.directory, self.kind, self.threads)

    def batch(self, sequences: Sequence[Sequence[int]]) -> Batch:
        """Return sequences that the model can read as one batch."""
        return pad(sequences, self.pieces.pad)

    def batches(self, sequences: Sequence[Sequence[int]], batch_pieces: int = BATCH_TOKENS) -> Iterator[tuple[list[int], Batch]]:
        """Yield batches of sequences of similar length, each with the positions that its rows have in `sequences`."""
        for rows in make_batches([len(sequence) for sequence in sequences], batch_pieces):
            yield rows, self.batch([sequences[row] for row in rows])

    def masked_logits(self, sequences: Sequence[Sequence[int]], positions: Sequence[int]) -> Iterator[tuple[list[int], Array]]:
        """Yield logits at one position of each sequence.

        Args:
            sequences: piece ids.
            positions: one for each sequence.

        Yields:
            Which sequences, and their logits, float32 [rows, vocabulary].
        """
        for rows, batch in self.batches(sequences):
            where = batch.input_ids != batch.input_ids
            where[range(len(rows)), [positions[row] for row in rows]] = True
            yield rows, self.runner.masked_logits(batch, where)
