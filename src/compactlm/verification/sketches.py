"""Sketches of artifacts: hashes, norms and a few samples, some hundred bytes a file."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from compactlm.verification.json_files import json_sketch

SAMPLES = 2  # values of each tensor
BUCKETS = 64  # rows of a table are hashed in so many groups, so that the number of changed rows can be estimated
DIGITS = 6
VALUES_AT_ONCE = 4_000_000  # of a tensor, in memory
# The softmax of attention does not depend on the bias of the keys. Its gradient is rounding error, which Adam scales to the learning rate.
KEY_BIAS = "attention.self.key.bias"
JOINT_BIAS = "attention/bias"  # of queries, keys and values, in exported graphs

Array = npt.NDArray[np.float64]

Sketch = dict[str, Any]


def sketch(path: Path) -> Sketch:
    """Return the sketch of a file: its sha256, and by kind norms of tensors, sums and digests of a table, or numbers of JSON."""
    found: Sketch = {"sha256": file_sha256(path)}
    if path.suffix == ".safetensors":
        return found | _tensors(_stored(path))
    if path.suffix == ".onnx":
        return found | _tensors(_initializers(path))
    if path.suffix == ".parquet":
        return found | _table(pq.read_table(path))
    if path.suffix == ".json":
        return found | json_sketch(path)
    return found


@dataclasses.dataclass(frozen=True)
class _Tensor:
    """A tensor whose rows are read when they are needed, because signals may take gigabytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    read: Callable[[int, int], Array]  # the values of rows from the first up to the second, float64 [rows, values]


def _read(part: Any, first: int, last: int) -> Array:
    """Return some rows of a slice of safetensors."""
    values: Array = part[first:last].double().numpy()
    return values


def _stored(path: Path) -> Iterator[_Tensor]:
    with safe_open(path, framework="pt") as file:  # numpy has no bfloat16
        for name in sorted(file.keys()):
            part = file.get_slice(name)
            shape = tuple(part.get_shape())
            if shape:
                yield _Tensor(name, part.get_dtype(), shape, functools.partial(_read, part))
            else:
                yield _of_array(name, file.get_tensor(name).double().numpy())


def _initializers(path: Path) -> Iterator[_Tensor]:
    graph = onnx.load(path).graph
    for tensor in sorted(graph.initializer, key=lambda one: one.name):
        yield _of_array(tensor.name, numpy_helper.to_array(tensor))


def _of_array(name: str, values: npt.NDArray[Any]) -> _Tensor:
    rows = np.atleast_1d(values)
    return _Tensor(name, str(values.dtype), rows.shape, lambda first, last: rows[first:last].astype(np.float64))


def _tensors(tensors: Iterable[_Tensor]) -> Sketch:
    """Return a digest of names, types and shapes, and for each tensor its root mean square and samples, whole numbers if it has them.

    If there are values that are not finite, their number is added as `not_finite`.
    """
    names, values, not_finite = hashlib.sha256(), [], 0
    for tensor in tensors:
        names.update(f"{tensor.name} {tensor.dtype} {tensor.shape}\n".encode())
        without = _without_key_bias(tensor)
        samples = [int(one) if _is_integer(without) else _rounded(one) for one in _samples(without)]
        size, odd = _size(without)
        values.append([_rounded(size), *samples])
        not_finite += odd
    return {"structure": names.hexdigest()[:16], "tensors": values} | ({"not_finite": not_finite} if not_finite else {})


def _without_key_bias(tensor: _Tensor) -> _Tensor:
    if not tensor.name.endswith((KEY_BIAS, JOINT_BIAS)):
        return tensor
    values = tensor.read(0, tensor.shape[0]).copy()
    third = len(values) // 3
    values[slice(third, 2 * third) if tensor.name.endswith(JOINT_BIAS) else slice(None)] = 0.0
    return _of_array(tensor.name, values)


def _is_integer(tensor: _Tensor) -> bool:
    return tensor.dtype.lower().startswith(("i", "u"))  # int8 as NumPy names it, I8 as safetensors does


def _size(tensor: _Tensor) -> tuple[float, int]:
    """Return the root mean square, in which values that are not finite count as 0, and the number of these values."""
    count, total, odd = math.prod(tensor.shape), 0.0, 0
    step = max(1, VALUES_AT_ONCE * tensor.shape[0] // max(1, count))
    for first in range(0, tensor.shape[0], step):
        values = tensor.read(first, first + step)
        total += float(np.square(_finite(values)).sum())
        odd += int(np.count_nonzero(~np.isfinite(values)))
    return (math.sqrt(total / count) if count else 0.0), odd


def _samples(tensor: _Tensor) -> list[float]:
    """Return SAMPLES values, evenly spread."""
    count = math.prod(tensor.shape)
    row = count // tensor.shape[0] if count else 0
    places = [count * (at + 1) // (SAMPLES + 1) for at in range(SAMPLES)] if count else []
    return [float(_finite(tensor.read(at // row, at // row + 1)).ravel()[at % row]) for at in places]


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, 0.0)


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
