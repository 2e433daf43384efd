"""Faults of the teacher's cached signals: constant values, and signals of other rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import torch

from compactlm import artifacts
from compactlm.bert.batches import make_batches
from compactlm.bert.task_models import load_task_model
from compactlm.distillation.inputs import GENERAL
from compactlm.distillation.signals.cache import TENSORS, CachedSignals, TeacherInputs
from compactlm.distillation.signals.tensor_files import TensorOnDisk, read_tensors
from compactlm.doctor.examined import Run
from compactlm.doctor.findings import Fault, Finding
from compactlm.errors import CompactLMError
from compactlm.shapes.layers import needs_signals

READ = 512  # entries of each tensor that are compared with each other
RECOMPUTED = 32  # rows whose logits are computed again
CONSTANT = 1e-5  # greatest spread of a constant signal, as a share of its size
OTHER = 0.5  # difference from the teacher's logits, as a share of that of different rows, from which on they are another row's
INDEXES = ("starts", "place_starts", "teacher_indices", "teacher_log_rest")  # these may be equal everywhere
FIX = "run `dvc repro --force signals`, and then `dvc repro`"


def check(run: Run) -> Iterator[Finding]:
    """Yield faults: constant signals, signals of other rows or tokens, and damaged caches. Online signals have no cache to check."""
    if run.params.signals.source != "cached":
        return
    for path in sorted(artifacts.SIGNALS.glob(f"*/{TENSORS}")):
        yield from _constant(path)
    inputs = run.phases.inputs
    rows: dict[str, TeacherInputs] = {name: inputs.task(name) for name in run.tasks}
    if needs_signals(run.params.distill.general):
        rows[GENERAL] = inputs.general()
    for name, tokenized in rows.items():
        yield from _aligned(run, name, tokenized)


def _constant(path: Path) -> Iterator[Finding]:
    for name, tensor in read_tensors(path).items():
        if name in INDEXES or tensor.shape[0] < 2:
            continue
        values = _spread_entries(tensor)
        if float(values.std(dim=0).max()) <= CONSTANT * float(values.abs().max()):
            yield Fault("constant signals", f"{name} in {path} is the same for all rows; check the teacher, and {FIX}")


def _spread_entries(tensor: TensorOnDisk) -> torch.Tensor:
    """Return up to READ evenly spread entries of a tensor, float32 [entries, values]."""
    step = max(1, tensor.shape[0] // READ)
    return torch.cat([tensor.read(at, at + 1) for at in range(0, tensor.shape[0], step)][:READ]).float().flatten(1)


def _aligned(run: Run, name: str, rows: TeacherInputs) -> Iterator[Finding]:
    directory = artifacts.SIGNALS / name
    kept = pq.read_table(directory / "rows.parquet", columns=["id"]).to_pydict()["id"]
    wrong = sum(one != other for one, other in zip(kept, rows.ids, strict=False)) + abs(len(kept) - len(rows.ids))
    if wrong:
        sentence = f"{directory}/rows.parquet names other ids than the training rows in {wrong:,} of {len(rows.ids):,} places; {FIX}"
        yield Fault("misaligned ids", sentence)
        return
    inputs = run.phases.inputs
    try:
        cached = CachedSignals(directory, rows, inputs.cache_settings(artifacts.BASE if name == GENERAL else name))
    except CompactLMError as error:
        yield Fault("stale or damaged signals", str(error))
        return
    if name == GENERAL:
        return
    chosen = sorted(range(len(rows.ids)), key=lambda row: hashlib.blake2b(rows.ids[row].encode()).digest())[:RECOMPUTED]
    teacher = inputs.online_task(load_task_model(artifacts.TEACHER / name))
    per_token = run.task(name).kind.per_token
    fresh: list[torch.Tensor] = []
    stored: list[torch.Tensor] = []
    for batch in make_batches([rows.lengths[row] for row in chosen], run.params.batch_tokens):
        numbers = [chosen[at] for at in batch]
        inputs_of_rows = rows.model_inputs(numbers)
        for signals, found in ((teacher.signals(inputs_of_rows, numbers), fresh), (cached.signals(inputs_of_rows, numbers), stored)):
            outputs = signals["teacher_token_logits" if per_token else "teacher_logits"].float().cpu()
            found.append(outputs[inputs_of_rows["attention_mask"] > 0] if per_token else outputs)
    expected, kept_outputs = torch.cat(fresh), torch.cat(stored)
    different = float((expected - expected.roll(len(expected) // 2, dims=0)).abs().mean())
    if len(chosen) > 1 and float((expected - kept_outputs).abs().mean()) > OTHER * different:
        yield Fault("misaligned signals", f"the teacher gives rows of {name} other logits than {directory} has for them; {FIX}")
