"""An ONNX graph under construction, and the parts that BERT and its heads share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

FUSED = "com.microsoft"
Weights = Mapping[str, np.ndarray]


class Graph:
    """Nodes and constant tensors in insertion order; every value has a unique name."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        """Add a constant tensor, unless it exists already, and return its name."""
        if name not in self.tensors:
            self.tensors[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def weight(self, name: str) -> str:
        """Add a weight unchanged."""
        return self.constant(name, self.weights[name])

    def add(self, operator: str, name: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output of the same name, and return the name."""
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, domain=domain, **attributes))
        return name

    def rename_last(self, name: str) -> None:
        """Rename the output of the last node, which no other node reads."""
        self.nodes[-1].output[0] = name

    def product(self, name: str, value: str, layer: str) -> str:
        """Add the matrix product of a linear layer, without its bias."""
        return self.add("MatMul", name, value, self.constant(f"{layer}/transposed", self.weights[f"{layer}.weight"].T))

    def linear(self, name: str, value: str, layer: str) -> str:
        """Add a linear layer, with its bias."""
        return self.add("Add", name, self.product(f"{name}/product", value, layer), self.weight(f"{layer}.bias"))


def normalise(graph: Graph, name: str, layer: str, config: Any, *values: str) -> str:
    """Add the layer normalisation of the sum of some values.

    ONNX Runtime fuses Add and LayerNormalization into SkipLayerNormalization, which is three times as slow on a CPU. It does not fuse
    Sum, so the graph uses Sum.
    """
    total = graph.add("Sum", f"{name}/sum", *values) if len(values) > 1 else values[0]
    scale, shift = graph.weight(f"{layer}.weight"), graph.weight(f"{layer}.bias")
    return graph.add("LayerNormalization", name, total, scale, shift, axis=-1, epsilon=float(config.layer_norm_eps))


def gelu(graph: Graph, name: str, value: str, layer: str) -> str:
    """Add a linear layer and its GELU. The bias is added to the product, because int8 products add it at no cost."""
    return graph.add("Gelu", name, graph.linear(f"{name}/dense", value, layer), domain=FUSED)
