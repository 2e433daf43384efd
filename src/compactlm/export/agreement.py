"""How closely the exported files agree with the original model on the same rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from scipy.stats import binomtest
from tqdm import tqdm
from transformers import BertPreTrainedModel

from compactlm.bert.batches import make_batches
from compactlm.bert.models import pad_tensors
from compactlm.bert.sentence_encoder.dense import Dense
from compactlm.errors import CompactLMError
from compactlm.export.directory import output_name
from compactlm.inference.runtime.directories import FLOAT_FILE, INT8_FILE
from compactlm.inference.runtime.onnx_session import open_session

ENOUGH = 500  # on fewer rows, half a percentage point is only a row or two
CHANCE = 0.05  # the significance level of a loss on fewer rows


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The outputs of the original model and both files for the same rows.

    Attributes:
        greatest_difference: the largest absolute difference between the outputs of the original and the fp32 file, without padding.
        original: the likeliest label of each row, or the likeliest token at the row's position, int64 [rows]; or the mean of
            the last hidden states, after dense layers, float32 [rows, width].
        exported: the same for the fp32 file.
        quantized: the same for the int8 file.
    """

    greatest_difference: float
    original: np.ndarray
    exported: np.ndarray
    quantized: np.ndarray


@dataclasses.dataclass(frozen=True)
class Loss:
    """Accuracy of the original and of int8, their agreement, and the rows that only the original (lost) or only int8 (gained) predicts."""

    original_accuracy: float
    int8_accuracy: float
    agreement: float
    lost: int
    gained: int


def compare(
    model: BertPreTrainedModel,
    directory: Path,
    sequences: Sequence[Sequence[int]],
    positions: Sequence[int] | None,
    batch_tokens: int,
    threads: int,
    description: str,
    dense: Sequence[Dense] = (),
) -> Comparison:
    """Run the original model and both files on the same sequences.

    Args:
        model: the original model, on the CPU.
        directory: the files that `write_directory` wrote.
        sequences: rows of token ids.
        positions: the position to predict in each row of a masked language model; else None.
        batch_tokens: tokens per batch, padding included.
        threads: CPU threads.
        description: label of the progress bar.
        dense: linear layers above the original model, which the files have inside.
    """
    model.eval()
    output = output_name(model)
    sessions = [open_session(directory / file, threads) for file in (FLOAT_FILE, INT8_FILE)]
    readings: list[dict[int, np.ndarray]] = [{}, {}, {}]
    differences: list[float] = []
    for rows in tqdm(make_batches([len(s) for s in sequences], batch_tokens, None), desc=description, unit="batch", mininterval=0.5):
        input_ids, attention_mask = pad_tensors([sequences[row] for row in rows], model.config.pad_token_id)
        feeds = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": torch.zeros_like(input_ids)}
        with torch.inference_mode():
            original = model(**feeds)[output].float().numpy()
        for layer in dense:
            original = layer.apply(original)
        found = [original]
        found += [_run(session, output, feeds) for session in sessions]
        mask = attention_mask.numpy().astype(bool)
        differences.append(_greatest(found[0], found[1], mask))
        where = None if positions is None else np.array([positions[row] for row in rows])
        for kept, values in zip(readings, found, strict=True):
            kept.update(zip(rows, _read(values, mask, where), strict=True))
    # Python's max may ignore nan; NumPy's returns it.
    return Comparison(float(np.max(differences)), *(np.stack([kept[row] for row in range(len(sequences))]) for kept in readings))


def _greatest(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    """Return the largest absolute difference between outputs, without padding; nan if an output is nan."""
    # torch uses all threads, which matters for logits over a vocabulary.
    greatest = torch.from_numpy(first).sub(torch.from_numpy(second)).abs_().amax(dim=-1)
    return float((greatest[torch.from_numpy(mask)] if first.ndim == 3 else greatest).max())


def _run(session: onnxruntime.InferenceSession, output: str, feeds: dict[str, torch.Tensor]) -> np.ndarray:
    found: np.ndarray = session.run([output], {name: tensor.numpy() for name, tensor in feeds.items()})[0]
    return found


def _read(values: np.ndarray, mask: np.ndarray, where: np.ndarray | None) -> np.ndarray:
    """Return the likeliest label, the likeliest token at a position, or the mean of the hidden states of each row."""
    if values.ndim == 2:
        return np.argmax(values, axis=-1)
    if where is not None:
        return np.argmax(values[np.arange(len(values)), where], axis=-1)
    mean: np.ndarray = (values * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]
    return mean


def measure_cosines(comparison: Comparison) -> dict[str, float]:
    """Return the mean and the smallest cosine of the original's and int8's hidden states, over rows."""
    left, right = comparison.original, comparison.quantized
    cosines = (left * right).sum(axis=1) / (np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1))
    return {"mean_cosine": float(np.mean(cosines)), "least_cosine": float(np.min(cosines))}


def measure_loss(expected: Sequence[int], comparison: Comparison) -> Loss:
    """Compare the accuracy of the original and of int8; `expected` are the correct labels or tokens."""
    original, quantized = comparison.original == np.array(expected), comparison.quantized == np.array(expected)
    return Loss(
        float(original.mean()),
        float(quantized.mean()),
        float((comparison.original == comparison.quantized).mean()),
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

    On fewer than 500 rows, half a percentage point is a row or two, so the loss must also be significant: an exact one-sided
    sign test, at the level of 5 %, on the rows that only one of the two predicts correctly.
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
