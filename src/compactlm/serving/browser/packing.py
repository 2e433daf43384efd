"""Pack the weights of exported models as int8 rows with one scale each."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from compactlm.bert.arrays import Array

LEVELS = 127  # a signed byte has this many levels on each side of 0
TRANSPOSED, FUSED = "/transposed", "attention/weight"
PARTS = tuple(f"attention.self.{part}" for part in ("query", "key", "value"))
ALIGNMENT = 4  # a Float32Array starts at a multiple of 4 bytes


@dataclasses.dataclass(frozen=True, eq=False)
class Packed:
    """A tensor: float32 values, or int8 rows with float32 scales [rows]. Matrices of linear layers are [outputs, inputs]."""

    values: Array
    scales: Array | None = None


def pack(proto: onnx.ModelProto) -> dict[str, Packed]:
    """Return the packed weights of an fp32 graph of `build_bert` by their names in transformers, and round the graph's weights alike.

    Each row of a matrix or an embedding table has its own scale, 1/127 of its largest value. Biases, normalisations and token types stay
    float32. Query, key and value are one matrix, `attention.qkv`. After the call, `proto` has exactly the weights of the page.
    """
    packed: dict[str, Packed] = {}
    for tensor in proto.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        one = round_rows(tensor)
        if one.scales is None:
            packed[_name(tensor.name.removeprefix("bert."))] = one
            continue
        rounded = one.values.astype(np.float32) * one.scales[:, None]
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(rounded.T if is_turned(tensor.name) else rounded), tensor.name))
        packed[_name(tensor.name.removeprefix("bert."))] = one
    return _join(packed)


def is_turned(name: str) -> bool:
    """Return whether a weight of a graph is stored as [inputs, outputs]."""
    return name.endswith((TRANSPOSED, FUSED))


def round_rows(tensor: onnx.TensorProto) -> Packed:
    """Return a matrix or table as int8 rows [outputs, inputs] with scales. Any other weight is returned unchanged."""
    values = numpy_helper.to_array(tensor)
    if values.ndim != 2 or "token_type" in tensor.name:
        return Packed(values)
    return _round(values.T if is_turned(tensor.name) else values)


def _round(matrix: Array) -> Packed:
    scales = np.maximum(np.abs(matrix).max(axis=1) / LEVELS, np.finfo(np.float32).tiny).astype(np.float32)
    return Packed(np.rint(matrix / scales[:, None]).astype(np.int8), scales)


def _name(name: str) -> str:
    if name.endswith(TRANSPOSED):
        layer = name.removesuffix(TRANSPOSED).removesuffix(".weight")
        return f"{layer}.weight"
    return name.replace("attention/", "attention.qkv.")


def _join(packed: dict[str, Packed]) -> dict[str, Packed]:
    """Join query, key and value, which are separate in the last layer of a classifier."""
    joined = dict(packed)
    for name in packed:
        if not name.endswith(f"{PARTS[0]}.weight"):
            continue
        layer = name.removesuffix(f"{PARTS[0]}.weight")
        parts = [joined.pop(f"{layer}{part}.weight") for part in PARTS]
        scales = np.concatenate([part.scales for part in parts if part.scales is not None])
        joined[f"{layer}attention.qkv.weight"] = Packed(np.concatenate([part.values for part in parts]), scales)
    return joined


class Blob:
    """The bytes of tensors, one after another. Equal tensors, such as word embeddings that two models share, are stored once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._places: dict[bytes, int] = {}
        self._size = 0

    def add(self, packed: Packed) -> dict[str, Any]:
        """Store a tensor and return its entry in the header: shape, offset, and for int8 the offset of the scales."""
        entry: dict[str, Any] = {"shape": list(packed.values.shape), "at": self._store(packed.values)}
        if packed.scales is not None:
            entry["scales"] = self._store(packed.scales)
        return entry

    def _store(self, values: Array) -> int:
        content = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
        if content not in self._places:
            self._places[content] = self._size
            padded = content + bytes(-len(content) % ALIGNMENT)
            self._parts.append(padded)
            self._size += len(padded)
        return self._places[content]

    def content(self) -> bytes:
        """Return all bytes."""
        return b"".join(self._parts)
