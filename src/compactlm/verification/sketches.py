"""Sketches of artifacts: hashes, norms and a few samples, some hundred bytes a file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import numpy_helper
from safetensors import safe_open

from compactlm.artifacts import file_sha256

SAMPLES = 2  # values of each tensor
BUCKETS = 64  # rows of a table are hashed in so many groups, so that the number of changed rows can be estimated
DIGITS = 6

Sketch = dict[str, Any]


def sketch(path: Path) -> Sketch:
    """Return the sketch of a file: its sha256, and by its kind the norms of tensors or the sums and digests of a table."""
    found: Sketch = {"sha256": file_sha256(path)}
    if path.suffix == ".safetensors":
        return found | _tensors(_stored(path))
    if path.suffix == ".onnx":
        return found | _tensors(_initializers(path))
    if path.suffix == ".parquet":
        return found | _table(pq.read_table(path))
    return found


def _stored(path: Path) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    with safe_open(path, framework="numpy") as file:
        for name in sorted(file.keys()):
            yield name, file.get_tensor(name)


def _initializers(path: Path) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    graph = onnx.load(path).graph
    for tensor in sorted(graph.initializer, key=lambda one: one.name):
        yield tensor.name, numpy_helper.to_array(tensor)


def _tensors(tensors: Iterator[tuple[str, npt.NDArray[Any]]]) -> Sketch:
    """Return a digest of names, types and shapes, and for each tensor its root mean square and samples."""
    names, values = hashlib.sha256(), []
    for name, tensor in tensors:
        names.update(f"{name} {tensor.dtype} {tensor.shape}\n".encode())
        flat = tensor.ravel()
        at = np.linspace(0, max(0, flat.size - 1), SAMPLES + 2).astype(np.int64)[1:-1]
        kept = np.where(np.isfinite(flat), flat, 0) if flat.dtype.kind == "f" else flat
        size = math.sqrt(float(np.mean(np.square(kept, dtype=np.float64)))) if flat.size else 0.0
        values.append([_rounded(one) for one in (size, *(float(kept[place]) for place in at if flat.size))])
    return {"structure": names.hexdigest()[:16], "tensors": values}


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _table(table: pa.Table) -> Sketch:
    """Return the number of rows, a digest of the exact columns for each bucket of rows, and the sums of columns of floats."""
    floats = [field.name for field in table.schema if pa.types.is_floating(_value_type(field.type))]
    exact = table.drop_columns(floats)
    sums = {name: _sums(table[name]) for name in floats}
    return {"rows": len(table), "columns": table.column_names, "buckets": _buckets(exact.to_pylist()), "sums": sums}


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_list(kind) else kind


def _sums(column: pa.ChunkedArray) -> list[float]:
    flat = column.combine_chunks()
    values = (flat.flatten() if pa.types.is_list(column.type) else flat).to_numpy(zero_copy_only=False).astype(np.float64)
    return [_rounded(float(values.sum())), _rounded(float(np.square(values).sum()))]


def _buckets(rows: Sequence[dict[str, Any]]) -> str:
    """Return four hexadecimal digits for each bucket. A row's bucket depends on its id, and its place does not matter."""
    sums = [0] * BUCKETS
    for row in rows:
        digest = hashlib.blake2b(json.dumps(row, sort_keys=True, default=str).encode(), digest_size=8).digest()
        key = hashlib.blake2b(str(row.get("id", "")).encode(), digest_size=2).digest()
        bucket = int.from_bytes(key, "big") % BUCKETS
        sums[bucket] = (sums[bucket] + int.from_bytes(digest, "big")) % 2**64
    return "".join(f"{one >> 48:04x}" for one in sums)
