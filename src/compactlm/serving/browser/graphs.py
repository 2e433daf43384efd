"""Write the graph of an exported model for a page. Weights are int8 with one scale per row; arithmetic is in float32.

ONNX Runtime converts the weights to float32 when it loads the file, so the rounded weights give the same answers on every processor.
Kernels that multiply int8 differ between processors and browsers.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from compactlm.errors import CompactLMError
from compactlm.serving.browser.packing import is_turned, round_rows

HEAD = "cls.predictions.transform.dense/transposed"  # the first weight of the head for masked words
POSITION = "position"


def compact_graph(proto: onnx.ModelProto, one_position: bool = False) -> bytes:
    """Return an fp32 graph of `build_bert` with the rounded weights of `packing.pack`, at a quarter of its size.

    Args:
        proto: the graph, which is not changed.
        one_position: whether a masked language model gets the input `position`, int64 [1], and returns logits only for this position,
            float32 [batch, 1, tokens].

    Raises:
        CompactLMError: the graph has no head for masked words although one is expected.
    """
    found = onnx.ModelProto()
    found.CopyFrom(proto)
    graph = found.graph
    widening = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT:
            continue
        rows = round_rows(tensor)
        if rows.scales is None:
            continue
        turned = is_turned(tensor.name)
        values = np.ascontiguousarray(rows.values.T if turned else rows.values)
        parts = [numpy_helper.from_array(values, f"{tensor.name}/int8"), numpy_helper.from_array(rows.scales, f"{tensor.name}/scales")]
        graph.initializer.remove(tensor)
        graph.initializer.extend(parts)
        inputs = [part.name for part in parts]
        widening.append(helper.make_node("DequantizeLinear", inputs, [tensor.name], f"{tensor.name}/float", axis=int(turned)))
    nodes = [*widening, *(_with_position(graph) if one_position else graph.node)]
    nodes = [_copy(node) for node in nodes]
    del graph.node[:]
    graph.node.extend(nodes)
    return found.SerializeToString(deterministic=True)


def _with_position(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes, with a new node before the head for masked words that selects the position of the hidden states."""
    nodes = list(graph.node)
    head = next((at for at, node in enumerate(nodes) if HEAD in node.input), None)
    if head is None:
        raise CompactLMError("the graph has no head for masked words; pass the directory that `dvc repro export` writes")
    states = nodes[head].input[0]
    nodes[head].input[0] = f"{states}/{POSITION}"
    graph.input.append(helper.make_tensor_value_info(POSITION, TensorProto.INT64, [1]))
    graph.output[0].type.tensor_type.shape.dim[1].CopyFrom(onnx.TensorShapeProto.Dimension(dim_value=1))
    gather = helper.make_node("Gather", [states, POSITION], [f"{states}/{POSITION}"], f"{states}/{POSITION}", axis=1)
    return [*nodes[:head], gather, *nodes[head:]]


def _copy(node: onnx.NodeProto) -> onnx.NodeProto:
    """Return a copy of a node that stays valid when its list is emptied."""
    copied = onnx.NodeProto()
    copied.CopyFrom(node)
    return copied
