"""How closely the exported files agree with the original, on the same rows."""

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
from compactlm.errors import CompactLMError
from compactlm.export.directory import output_name
from compactlm.inference.runtime.onnx_files import FLOAT_FILE, INT8_FILE, open_session

ENOUGH = 500  # rows, of which half a point is more than two
CHANCE = 0.05  # how unlikely a loss on fewer rows must be before it counts


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What the original and both files say of the same rows.

    Attributes:
        greatest_difference: of the outputs of the original and the fp32 file, at every token that is not padding.
        original: for each row the likeliest label, or the likeliest token at the row's position, int64 [rows]; or the mean of
            the last hidden states, float32 [rows, hidden].
        exported: the same by the fp32 file.
        quantized: the same by the int8 file.
    """

    greatest_difference: float
    original: np.ndarray
    exported: np.ndarray
    quantized: np.ndarray


@dataclasses.dataclass(frozen=True)
class Loss:
    """What int8 does to a classifier: accuracy of the original and of int8, and the rows that only one of them predicts right."""

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
) -> Comparison:
    """Run the original and both files on the same sequences of token ids.

    Args:
        model: the original, on the CPU.
        directory: with the files, as `write_directory` wrote them.
        sequences: rows of token ids.
        positions: of a masked language model, the position in each row at which its choice is read.
        batch_tokens: tokens a batch, padding included.
        threads: of the CPU.
        description: of the progress bar.
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
            found = [model(**feeds)[output].float().numpy()]
        found += [_run(session, output, feeds) for session in sessions]
        mask = attention_mask.numpy().astype(bool)
        differences.append(_greatest(found[0], found[1], mask))
        where = None if positions is None else np.array([positions[row] for row in rows])
        for kept, values in zip(readings, found, strict=True):
            kept.update(zip(rows, _read(values, mask, where), strict=True))
    # NumPy's maximum, and not Python's, which may pass over a difference that is no number.
    return Comparison(float(np.max(differences)), *(np.stack([kept[row] for row in range(len(sequences))]) for kept in readings))


def _greatest(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    """Return the greatest difference between outputs, at tokens that are not padding; nan where one is no number."""
    # By torch, which uses all threads: logits over a vocabulary are many.
    greatest = torch.from_numpy(first).sub(torch.from_numpy(second)).abs_().amax(dim=-1)
    return float((greatest[torch.from_numpy(mask)] if first.ndim == 3 else greatest).max())


def _run(session: onnxruntime.InferenceSession, output: str, feeds: dict[str, torch.Tensor]) -> np.ndarray:
    found: np.ndarray = session.run([output], {name: tensor.numpy() for name, tensor in feeds.items()})[0]
    return found


def _read(values: np.ndarray, mask: np.ndarray, where: np.ndarray | None) -> np.ndarray:
    """Return for each row the likeliest label, the likeliest token at a position, or the mean of the hidden states."""
    if values.ndim == 2:
        return np.argmax(values, axis=-1)
    if where is not None:
        return np.argmax(values[np.arange(len(values)), where], axis=-1)
    mean: np.ndarray = (values * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]
    return mean


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the cosine of each row of one matrix with the same row of the other, float [rows]."""
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    found: np.ndarray = (left * right).sum(axis=1) / norms
    return found


def measure_loss(expected: Sequence[int], comparison: Comparison) -> Loss:
    """Return what int8 loses of the original's accuracy; `expected` are the right answers."""
    original, quantized = comparison.original == np.array(expected), comparison.quantized == np.array(expected)
    return Loss(
        float(original.mean()),
        float(quantized.mean()),
        float((comparison.original == comparison.quantized).mean()),
        int((original & ~quantized).sum()),
        int((quantized & ~original).sum()),
    )


def check_difference(comparison: Comparison, tolerance: float, path: Path) -> None:
    """Raise CompactLMError where the fp32 file's outputs differ from the original's by more than `tolerance`."""
    if not comparison.greatest_difference <= tolerance:
        raise CompactLMError(
            f"{path} differs from the original by {comparison.greatest_difference:.2g} on {len(comparison.original)} test rows, more "
            f"than export.tolerance {tolerance:g} allows; try another export.opset, or raise the tolerance if you accept the difference"
        )


def check_loss(loss: Loss, rows: int, allowed: float, path: Path) -> None:
    """Raise CompactLMError where int8 loses more than `allowed` of the original's accuracy, for instance 0.005.

    On fewer than 500 rows half a point is a row or two, which a harmless change of a few doubtful rows can cost. There the loss
    must also be one that chance does not explain: an exact one-sided sign test on the rows that only one of the two predicts
    right, at the level of 5 %.
    """
    share = loss.original_accuracy - loss.int8_accuracy
    changed = loss.lost + loss.gained
    explained = rows < ENOUGH and (changed == 0 or binomtest(loss.lost, changed, 0.5, alternative="greater").pvalue >= CHANCE)
    # A little more than the bound, since accuracies are rounded.
    if share > allowed + 1e-9 and not explained:
        raise CompactLMError(
            f"{path} loses {100 * share:.2f} points of accuracy on {rows} test rows ({loss.lost} rows lost, {loss.gained} gained), more "
            f"than export.accuracy_loss {allowed:g} allows; train the student longer, or raise the bound if you accept the loss"
        )
