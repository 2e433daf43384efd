"""The measured accuracy of an exported masked language model, in metrics.json next to it."""

from __future__ import annotations

import json
import math
from pathlib import Path

from compactlm.errors import CompactLMError
from compactlm.inference.runtime.directories import ModelDirectory

FILE = "metrics.json"


def write_top1(directory: Path, fp32: float, int8: float, rows: int) -> None:
    """Write the share of masked tokens that each form of the model predicts as its first choice, and the number of test rows."""
    found = {"masked_tokens_top1": {"onnx": round(fp32, 6), "int8": round(int8, 6)}, "rows": rows}
    (directory / FILE).write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_top1(directory: ModelDirectory) -> float | None:
    """Return the share of the backend that runs the model; None for a model without the file, such as models/student/mlm.

    Raises:
        CompactLMError: the file is damaged.
    """
    path = directory.path / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["masked_tokens_top1"]
        share = float(found.get("int8" if directory.backend == "int8" else "onnx"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        share = math.nan
    if not 0 <= share <= 1:
        raise CompactLMError(f"{path} is damaged; restore it with `dvc checkout`, or copy the model again")
    return share
