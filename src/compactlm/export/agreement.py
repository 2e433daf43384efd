"""How closely the exported files agree with the original model on the same rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binomtest
from tqdm import tqdm
from transformers import BertPreTrainedModel

from compactlm.bert.arrays import Array
from compactlm.bert.batches import make_batches
from compactlm.bert.models import pad_examples
from compactlm.bert.sentence_encoder.dense import Dense
from compactlm.errors import CompactLMError
from compactlm.export.directory import output_names
from compactlm.inference.runtime.directories import FLOAT_FILE, INT8_FILE
from compactlm.inference.runtime.onnx_session import open_session

ENOUGH = 500  # on fewer rows, half a percentage point is only a row or two
Reading = Callable[[Array, Array, Sequence[int]], list[Array]]  # outputs, mask [rows, tokens] and the numbers of the rows
CHANCE = 0.05  # the significance level of a loss on fewer rows


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The outputs of the original model and of both files for the same rows, as `compare` reads them.

    Attributes:
        greatest_difference: the largest absolute difference between the outputs of the original and the fp32 file, without padding.
        original: the original's outputs, an array for each row.
        exported: the fp32 file's outputs.
        quantized: the int8 file's outputs.
    """

    greatest_difference: float
    original: list[Array]
    exported: list[Array]
    quantized: list[Array]


@dataclasses.dataclass(frozen=True)
class Loss:
    """Accuracy of the original and of int8, their agreement, and the number of rows that only one of them gets right (lost, gained)."""

    original_accuracy: float
    int8_accuracy: float
    agreement: float
    lost: int
    gained: int


def compare(
    model: BertPreTrainedModel,
    directory: Path,
    sequences: Sequence[Sequence[int]],
    read: Reading,
    batch_tokens: int,
    threads: int,
    description: str,
    dense: Sequence[Dense] = (),
    seconds: Sequence[int | None] | None = None,
) -> Comparison:
    """Run the original model and both files on the same sequences.

    Args:
        model: the original model, on the CPU.
        directory: the files that `write_directory` wrote.
        sequences: rows of token ids.
        read: selects what to keep of a batch's outputs: `outputs_of`, `likeliest_label`, `mean_of`, or a result of `likeliest_at`.
        batch_tokens: tokens per batch, padding included.
        threads: CPU threads.
        description: label of the progress bar.
        dense: linear layers on top of the original model, which are part of the files.
        seconds: the position of the second text of each sequence, or None without one.
    """
    model.eval()
    outputs = output_names(model)
    sessions = [open_session(directory / file, threads) for file in (FLOAT_FILE, INT8_FILE)]
    readings: list[dict[int, Array]] = [{}, {}, {}]
    differences: list[float] = []
    for rows in tqdm(make_batches([len(s) for s in sequences], batch_tokens, None), desc=description, unit="batch", mininterval=0.5):
        starts = None if seconds is None else [seconds[row] for row in rows]
        feeds = pad_examples([sequences[row] for row in rows], starts, model.config.pad_token_id)
        feeds.setdefault("token_type_ids", torch.zeros_like(feeds["input_ids"]))
        with torch.inference_mode():
            answered = model(**feeds)
        original = _joined([answered[name].float().numpy() for name in outputs])
        for layer in dense:
            original = layer.apply(original)
        arrays = {name: tensor.numpy() for name, tensor in feeds.items()}
        found = [original, *(_joined(session.run(outputs, arrays)) for session in sessions)]
        mask = feeds["attention_mask"].numpy().astype(bool)
        differences.append(_greatest(found[0], found[1], mask))
        for kept, values in zip(readings, found, strict=True):
            kept.update(zip(rows, read(values, mask, rows), strict=True))
    # Python's max may ignore nan; NumPy's returns it.
    return Comparison(float(np.max(differences)), *([kept[row] for row in range(len(sequences))] for kept in readings))


def _joined(outputs: Sequence[Array]) -> Array:
    """Return the single output, or join the logits of starts and ends, float32 [rows, tokens, 2]."""
    return outputs[0] if len(outputs) == 1 else np.stack(outputs, axis=-1)


def _greatest(first: Array, second: Array, mask: Array) -> float:
    """Return the largest absolute difference between outputs, without padding; nan if an output is nan."""
    # torch uses all threads, which matters for logits over a vocabulary.
    greatest = torch.from_numpy(first).sub(torch.from_numpy(second)).abs_().amax(dim=-1)
    return float((greatest[torch.from_numpy(mask)] if first.ndim == 3 else greatest).max())


def outputs_of(values: Array, mask: Array, rows: Sequence[int]) -> list[Array]:  # noqa: ARG001 - one signature for all readings
    """Return the outputs of each row, [outputs] or [tokens, outputs], without padding."""
    return [row[real] for row, real in zip(values, mask, strict=True)] if values.ndim == 3 else list(values)


def likeliest_label(values: Array, mask: Array, rows: Sequence[int]) -> list[Array]:  # noqa: ARG001
    """Return the likeliest label of each row, int64 []."""
    return list(np.argmax(values, axis=-1))


def mean_of(values: Array, mask: Array, rows: Sequence[int]) -> list[Array]:  # noqa: ARG001
    """Return the mean of the hidden states of each row, after dense layers, float32 [width]."""
    return list((values * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None])


def likeliest_at(positions: Sequence[int]) -> Reading:
    """Return a function that reads the likeliest token at one position of each sequence, int64 []."""

    def read(values: Array, mask: Array, rows: Sequence[int]) -> list[Array]:  # noqa: ARG001
        return list(np.argmax(values[np.arange(len(values)), [positions[row] for row in rows]], axis=-1))

    return read


def measure_cosines(comparison: Comparison) -> dict[str, float]:
    """Return the mean and the minimum over rows of the cosine between the hidden states of the original and of int8."""
    left, right = np.stack(comparison.original), np.stack(comparison.quantized)
    cosines = (left * right).sum(axis=1) / (np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1))
    return {"mean_cosine": float(np.mean(cosines)), "least_cosine": float(np.min(cosines))}


def measure_loss(expected: Sequence[int], comparison: Comparison) -> Loss:
    """Compare the accuracy of the original and of int8. `expected` has the right label or token of each row."""
    first, second = np.array(comparison.original), np.array(comparison.quantized)
    original, quantized = first == np.array(expected), second == np.array(expected)
    return Loss(
        float(original.mean()),
        float(quantized.mean()),
        float((first == second).mean()),
        int((original & ~quantized).sum()),
        int((quantized & ~original).sum()),
    )


def check_difference(comparison: Comparison, tolerance: float, path: Path) -> None:
    """Raise CompactLMError if the fp32 file differs from the original by more than `tolerance`."""
    if not comparison.greatest_difference <= tolerance:
        raise CompactLMError(
            f"{path} differs from the original by {comparison.greatest_difference:.2g} on {len(comparison.original)} test rows, more "
            f"than export.tolerance {tolerance:g}; try another export.opset, or raise the tolerance if you accept the difference"
        )


def check_loss(loss: Loss, rows: int, allowed: float, path: Path) -> None:
    """Raise CompactLMError if int8 loses more than `allowed` of the original's accuracy, for instance 0.005.

    On fewer than 500 rows, half a percentage point is a row or two. The loss must then also be significant in an exact one-sided sign test,
    at the level of 5 %, on the rows that only one of the two predicts correctly.
    """
    share = loss.original_accuracy - loss.int8_accuracy
    changed = loss.lost + loss.gained
    explained = rows < ENOUGH and (changed == 0 or binomtest(loss.lost, changed, 0.5, alternative="greater").pvalue >= CHANCE)
    # The margin allows for rounding.
    if share > allowed + 1e-9 and not explained:
        raise CompactLMError(
            f"{path} loses {100 * share:.2f} points of accuracy on {rows} test rows ({loss.lost} rows lost, {loss.gained} gained), more "
            f"than export.accuracy_loss {allowed:g}; train the student longer, or raise the bound if you accept the loss"
        )
