"""A cache of the teacher's signals on the disk, written once for all students with the same vocabulary.

A cache is a directory with three files. rows.parquet has the id of each row and a digest of the tokens that the teacher ran on.
tensors.safetensors has the signals of all rows, one after another. cache.json has the teacher's layers, the number of rows, the settings
that the signals depend on, and the sha256 of tensors.safetensors. The cache is written batch by batch and read row by row. It is never in
memory as a whole.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tqdm import tqdm

from compactlm.artifacts import file_sha256, read_json, write_json
from compactlm.bert.batches import make_batches
from compactlm.bert.memory import memory_errors
from compactlm.distillation.signals.online import Batch, SignalSource
from compactlm.distillation.signals.tensor_files import TensorOnDisk, create_tensors, damage, read_tensors
from compactlm.errors import CompactLMError

TENSORS = "tensors.safetensors"
PER_TOKEN = ("teacher_states", "teacher_token_logits")
PER_MASKED_TOKEN, PER_ROW = ("teacher_values", "teacher_indices", "teacher_log_rest"), ("teacher_logits",)
# Half precision for the large tensors. teacher_log_rest is small and may be -inf, so it keeps full precision.
KEPT_AS = {"teacher_states": torch.float16, "teacher_values": torch.float16, "teacher_indices": torch.int32}


class TeacherInputs(Protocol):
    """The rows that a teacher runs on: the examples of a phase, without signals."""

    @property
    def ids(self) -> Sequence[str]:
        """The id of each row."""
        ...

    @property
    def lengths(self) -> Sequence[int]:
        """The number of tokens of each row."""
        ...

    def model_inputs(self, rows: Sequence[int]) -> Batch:
        """Return input_ids and attention_mask of some rows, and labels if tokens are masked."""
        ...


def gigabytes(tokens: int, masked: int, rows: int, layers: int, width: int, top_k: int, labels: int, of_token: int = 0) -> float:
    """Return the expected size of a cache in gigabytes, from the numbers of tokens, masked tokens, rows, kept layers and so on.

    `width` is the teacher's hidden size, and `top_k` the number of logits that are kept for a masked token. A task's head has `labels`
    outputs for each row, or `of_token` outputs for each token.
    """
    return (tokens * (layers * width * 2 + of_token * 4) + masked * (top_k * 6 + 4) + rows * (labels * 4 + 16)) / 1e9


def surplus(ids: Sequence[str], masked: int, top_k: int) -> float:
    """Return by how much a cache may exceed `gigabytes`: ids, digests, headers, and more masked tokens than expected.

    The number of masked tokens is random, so five standard deviations are added.
    """
    named = sum(len(name.encode()) for name in ids) + len(ids) * 56 + 8192
    return (named + (5 * masked**0.5 + 1) * (top_k * 6 + 4)) / 1e9


def digests(tokenized: TeacherInputs) -> tuple[list[str], list[int]]:
    """Return a hash of each row's tokens and labels, and the number of tokens to predict in each row."""
    found, masked = [], []
    for row in range(len(tokenized.ids)):
        batch = tokenized.model_inputs([row])
        digest = hashlib.blake2b(batch["input_ids"].numpy().tobytes(), digest_size=12)
        for name in ("token_type_ids", "labels"):
            if name in batch:
                digest.update(batch[name].numpy().tobytes())
        found.append(digest.hexdigest())
        masked.append(int((batch["labels"] >= 0).sum()) if "labels" in batch else 0)
    return found, masked


def write_cache(
    directory: Path,
    tokenized: TeacherInputs,
    teacher: SignalSource,
    batch_tokens: int,
    description: str,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write the teacher's signals of all rows to a new directory.

    `settings` has the other settings that the signals depend on, such as the teacher and the precision, as JSON values.

    Raises:
        CompactLMError: there is not enough memory, or a signal exceeds half precision.
    """
    lengths = list(tokenized.lengths)
    starts = torch.tensor([0, *lengths]).cumsum(0)
    hashes, masked = digests(tokenized)
    masked_starts = torch.tensor([0, *masked]).cumsum(0)
    tensors: dict[str, TensorOnDisk] = {}
    batches = make_batches(lengths, batch_tokens)
    for number, rows in enumerate(tqdm(batches, desc=description, unit="batch", mininterval=0.5), start=1):
        with memory_errors(description, number, [lengths[row] for row in rows], batch_tokens):
            batch = tokenized.model_inputs(rows)
            signals = teacher.signals(batch, rows)
            _check_range(signals, batch["attention_mask"], teacher.layers, description)
            kept = {name: values.to(KEPT_AS.get(name, torch.float32)).cpu() for name, values in signals.items()}
        if not tensors:
            tensors = _create(directory, kept, starts, masked_starts)
        for name, values in kept.items():
            _store(tensors[name], name, values, rows, starts, masked_starts)
    pq.write_table(pa.table({"id": list(tokenized.ids), "digest": hashes}), directory / "rows.parquet", compression="zstd")
    # "asked" and "place_starts" are names of the file format; a change would make existing caches unreadable.
    kept_as = {"layers": list(teacher.layers), "rows": len(lengths), "asked": dict(settings or {})}
    write_json(directory / "cache.json", {**kept_as, "sha256": file_sha256(directory / TENSORS)})


def _create(directory: Path, kept: Batch, starts: torch.Tensor, masked_starts: torch.Tensor) -> dict[str, TensorOnDisk]:
    """Create the directory and the file of tensors, with shapes from the signals of the first batch."""
    numbers = {"starts": starts, "place_starts": masked_starts}
    shapes: dict[str, tuple[torch.dtype, Sequence[int]]] = {name: (values.dtype, values.shape) for name, values in numbers.items()}
    totals = {**dict.fromkeys(PER_TOKEN, int(starts[-1])), **dict.fromkeys(PER_MASKED_TOKEN, int(masked_starts[-1]))}
    for name, values in kept.items():
        inner = values.shape[1:] if name in PER_ROW else values.shape[2:]
        shapes[name] = (values.dtype, (totals.get(name, len(starts) - 1), *inner))
    directory.mkdir(parents=True)
    tensors = create_tensors(directory / TENSORS, shapes)
    for name, values in numbers.items():
        tensors[name].write(0, values)
    return tensors


def _check_range(signals: Batch, mask: torch.Tensor, layers: Sequence[int], description: str) -> None:
    """Raise CompactLMError if a signal exceeds half precision."""
    limit = torch.finfo(torch.float16).max
    states = signals["teacher_states"]
    states = states[mask.to(states.device).bool()].abs()
    found = {f"layer {layer} of the teacher": states[:, at] for at, layer in enumerate(layers)}
    found["the scores of tokens"] = signals.get("teacher_values", states[:0]).abs()
    for what, values in found.items():
        greatest = float(values.max()) if values.numel() else 0.0
        if not greatest <= limit:  # this also refuses nan
            leave = "" if what.startswith("the ") else ", or leave that layer out of signals.layers"
            raise CompactLMError(
                f"the largest value of {what} is {greatest:.4g} ({description}), but the cache's half precision ends at {limit:.0f}; "
                f"set signals.source to online{leave}"
            )


def _store(
    target: TensorOnDisk, name: str, values: torch.Tensor, rows: Sequence[int], starts: torch.Tensor, masked_starts: torch.Tensor
) -> None:
    offsets = (starts if name in PER_TOKEN else masked_starts).tolist()
    for line, row in enumerate(rows):
        if name in PER_ROW:
            target.write(row, values[line : line + 1])
        else:
            first, last = offsets[row], offsets[row + 1]
            target.write(first, values[line, : last - first])


class CachedSignals:
    """A signal source that returns signals from a cache."""

    def __init__(self, directory: Path, tokenized: TeacherInputs, settings: Mapping[str, Any] | None = None) -> None:
        """Open the cache of these rows. It must have been written with the same `settings`.

        Raises:
            CompactLMError: the cache is damaged, or was written for other rows, other tokens, other masks or other settings.
            FileNotFoundError: there is no cache.
        """
        if not (directory / "cache.json").is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory / "cache.json"))
        with damage(directory / "cache.json"):
            written = read_json(directory / "cache.json")
            self.layers: list[int] = written["layers"]
            kept, whole = {**written["asked"], "layers": self.layers}, str(written["sha256"])
        for name, wanted in (settings or {}).items():
            if kept.get(name) != wanted:
                raise CompactLMError(
                    f"{directory} has signals for {name} {kept.get(name)}, but {name} is {wanted} now; "
                    "run `dvc repro` to write the signals again"
                )
        masked = self._check(directory, tokenized)
        self.tensors = read_tensors(directory / TENSORS)
        with damage(directory / TENSORS):
            if file_sha256(directory / TENSORS) != whole:
                raise ValueError("its sha256 is not the one in cache.json")
            self.starts, self.masked_starts = (self.tensors.pop(name).read(0, None).tolist() for name in ("starts", "place_starts"))
            self._check_index(tokenized, masked)

    def _check_index(self, tokenized: TeacherInputs, masked: Sequence[int]) -> None:
        """Raise ValueError if the index does not match the rows."""
        for starts, counts in ((self.starts, tokenized.lengths), (self.masked_starts, masked)):
            if starts != list(itertools.accumulate(counts, initial=0)):
                raise ValueError("its index is not that of the rows")
        ends = {PER_TOKEN: self.starts[-1], PER_MASKED_TOKEN: self.masked_starts[-1], PER_ROW: len(tokenized.lengths)}
        entries = {name: end for names, end in ends.items() for name in names}
        for name, tensor in self.tensors.items():
            if tensor.shape[0] != entries[name] or (name == "teacher_states" and tensor.shape[1] != len(self.layers)):
                raise ValueError(f"{name} has the shape {tensor.shape}")

    @staticmethod
    def _check(directory: Path, tokenized: TeacherInputs) -> list[int]:
        """Raise CompactLMError if the cache belongs to other rows; return the number of tokens to predict in each row."""
        with damage(directory / "rows.parquet"):
            table = pq.read_table(directory / "rows.parquet", columns=["id", "digest"]).to_pydict()
        fix = "run `dvc repro` to make both in one run"
        if len(table["id"]) != len(tokenized.ids):
            raise CompactLMError(f"{directory} has signals of {len(table['id'])} rows, but training has {len(tokenized.ids)} rows; {fix}")
        for row, (kept, wanted) in enumerate(zip(table["id"], tokenized.ids, strict=True)):
            if kept != wanted:
                raise CompactLMError(f"row {row} of {directory} has the id {kept}, but the training row is {wanted}; {fix}")
        hashes, masked = digests(tokenized)
        for row, (kept, found) in enumerate(zip(table["digest"], hashes, strict=True)):
            if kept != found:
                raise CompactLMError(f"row {row} of {directory} ({table['id'][row]}) has signals for other tokens; {fix}")
        return masked

    def signals(self, batch: Batch, rows: Sequence[int]) -> Batch:  # noqa: ARG002 - the online teacher needs it
        """Return the signals of these rows in full precision; see SignalSource."""
        return {name: self._look_up(name, tensor, rows) for name, tensor in self.tensors.items()}

    def _look_up(self, name: str, tensor: TensorOnDisk, rows: Sequence[int]) -> torch.Tensor:
        if name in PER_ROW:
            return torch.cat([tensor.read(row, row + 1) for row in rows])
        offsets = self.starts if name in PER_TOKEN else self.masked_starts
        parts = [tensor.read(offsets[row], offsets[row + 1]) for row in rows]
        padded = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True)
        return padded.long() if name == "teacher_indices" else padded.float()
