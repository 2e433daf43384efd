"""Quantize an ONNX file to int8 with ONNX Runtime's dynamic quantization, including the word embeddings."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

LEVELS = 127  # a signed byte has this many levels on each side of 0
LARGE = 2**16  # embedding tables with fewer values are not quantized


def quantize(source: Path, target: Path) -> None:
    """Quantize a file that `export_onnx` wrote.

    Weights are signed, have one scale per column, and use 7 of their 8 bits. Processors without VNNI add two products of an unsigned and
    a signed byte in 16 bits. With 8 bits that sum can overflow (ONNX Runtime issues 5849 and 14642); with 7 bits it cannot, because
    2 x 255 x 64 is less than 2^15. Unsigned weights would not overflow either, but they are slower.
    """
    proto = onnx.load(source)
    shared = _fold_transposed(proto.graph)
    with _quiet():
        quantize_dynamic(
            proto,
            target,
            op_types_to_quantize=["MatMul", "Attention"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"WeightSymmetric": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    proto = onnx.load(target)
    for table in _tables(proto.graph):
        _quantize_table(proto.graph, table, shared.get(table))
    # ONNX Runtime infers the shapes again when it loads the file, and does not need the metadata.
    del proto.graph.value_info[:]
    del proto.metadata_props[:]
    onnx.checker.check_model(proto)
    onnx.save_model(proto, target)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the quantizer's advice to run a preparation step, because it runs this step itself."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _tensors(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    return {tensor.name: tensor for tensor in graph.initializer}


def _replace(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Replace the nodes of a graph, and remove constant tensors that no node reads."""
    read = {name for node in nodes for name in node.input}
    tensors = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensors)


def _fold_transposed(graph: onnx.GraphProto) -> dict[str, str]:
    """Replace transposes of constant matrices by constants; return the name of each transpose by the name of its matrix."""
    tensors, nodes, found = _tensors(graph), [], {}
    for node in graph.node:
        if node.op_type == "Transpose" and node.input[0] in tensors:
            matrix = np.ascontiguousarray(numpy_helper.to_array(tensors[node.input[0]]).T)
            graph.initializer.append(numpy_helper.from_array(matrix, node.output[0]))
            found[node.input[0]] = node.output[0]
        else:
            nodes.append(node)
    _replace(graph, nodes)
    return found


def _tables(graph: onnx.GraphProto) -> list[str]:
    """Return the names of the large embedding tables."""
    tensors = _tensors(graph)
    looked_up = dict.fromkeys(node.input[0] for node in graph.node if node.op_type == "Gather")
    return [name for name in looked_up if name in tensors and len(tensors[name].dims) == 2 and np.prod(tensors[name].dims) >= LARGE]


def _quantize_table(graph: onnx.GraphProto, table: str, head: str | None) -> None:
    """Replace a float table by bytes with one scale per row; a head reuses the bytes through a transpose.

    Args:
        graph: modified in place.
        table: the name of the table, float32 [tokens, hidden].
        head: the name of its transpose before quantization, which the head uses; None without a head.
    """
    tensors = _tensors(graph)
    if head:
        rows = numpy_helper.to_array(tensors[f"{head}_quantized"]).T
        scales = numpy_helper.to_array(tensors[f"{head}_scale"])
    else:
        values = numpy_helper.to_array(tensors[table])
        scales = np.maximum(np.abs(values).max(axis=1) / LEVELS, np.finfo(np.float32).tiny).astype(np.float32)
        rows = np.rint(values / scales[:, None]).astype(np.int8)
    constants = {
        "rows": np.ascontiguousarray(rows),
        "scales": scales,
        "one": np.array(1, np.float32),
        "last": np.array([-1], np.int64),
    }
    nodes: list[onnx.NodeProto] = []
    if head:
        graph.initializer.remove(tensors[f"{head}_quantized"])
        nodes.append(helper.make_node("Transpose", [f"{table}/rows"], [f"{head}_quantized"], f"{table}/transpose", perm=[1, 0]))
    for node in graph.node:
        looks_up = node.op_type == "Gather" and node.input[0] == table
        nodes.extend(_look_up(table, node.input[1], node.output[0]) if looks_up else [node])
    graph.initializer.extend(numpy_helper.from_array(value, f"{table}/{name}") for name, value in constants.items())
    _replace(graph, nodes)


def _look_up(table: str, indices: str, output: str) -> list[onnx.NodeProto]:
    """Return the nodes that look up rows and convert them to float."""
    row, scale, column, signed = (f"{output}/{part}" for part in ("row", "scale", "column", "signed"))
    return [
        helper.make_node("Gather", [f"{table}/rows", indices], [row], row),
        helper.make_node("DequantizeLinear", [row, f"{table}/one"], [signed], signed),
        helper.make_node("Gather", [f"{table}/scales", indices], [scale], scale),
        helper.make_node("Unsqueeze", [scale, f"{table}/last"], [column], column),
        helper.make_node("Mul", [signed, column], [output], output),
    ]
