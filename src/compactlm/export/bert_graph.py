"""Build BERT as an ONNX graph of operators that ONNX Runtime runs fast on a CPU, directly from the weights.

A compact BERT spends most of its time between the matrix products, so attention and GELU are fused operators (com.microsoft, available
on every platform of ONNX Runtime). A classifier uses only [CLS], so its last layer computes only that position after the keys and
values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from compactlm.bert.sentence_encoder.dense import Dense
from compactlm.inference.runtime.onnx_session import FIRST_OUTPUT, INPUTS

FUSED = "com.microsoft"
IR_VERSION = 10  # the file format of opset 21; older runtimes reject newer formats
Weights = Mapping[str, np.ndarray]


class _Graph:
    """Nodes and constant tensors in insertion order; every value has a unique name."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        """Add a constant tensor, unless it is there, and return its name."""
        if name not in self.tensors:
            self.tensors[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def weight(self, name: str) -> str:
        """Add a weight unchanged."""
        return self.constant(name, self.weights[name])

    def add(self, operator: str, name: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output of the same name, and return the name."""
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, domain=domain, **attributes))
        return name

    def product(self, name: str, value: str, layer: str) -> str:
        """Add the matrix product of a linear layer, without its bias."""
        return self.add("MatMul", name, value, self.constant(f"{layer}/transposed", self.weights[f"{layer}.weight"].T))

    def linear(self, name: str, value: str, layer: str) -> str:
        """Add a linear layer, with its bias."""
        return self.add("Add", name, self.product(f"{name}/product", value, layer), self.weight(f"{layer}.bias"))


def build_bert(weights: Weights, config: Any, opset: int, dense: Sequence[Dense] = ()) -> onnx.ModelProto:
    """Return the graph of a BertForMaskedLM, BertForSequenceClassification or BertModel.

    Inputs are input_ids, attention_mask and token_type_ids, int64 [batch, sequence]. The output is `logits`, float32 [batch, sequence,
    tokens] or [batch, labels]. A BertModel has two outputs, float32 [batch, sequence, hidden]: `last_hidden_state` and, for sentence
    embeddings, `first_hidden_state`, the output of the embeddings. With dense layers it has one, `last_hidden_state`, float32 [batch,
    sequence, width of the last layer]: the layers are applied to each token, so that its mean is the sentence vector.

    Args:
        weights: float32, by their names in transformers.
        config: the BertConfig, with GELU and absolute positions, and not a decoder.
        opset: the version of the ONNX operators.
        dense: linear layers without activation above a BertModel.
    """
    body = "bert." if any(name.startswith("bert.") for name in weights) else ""
    classifies = "classifier.weight" in weights
    graph = _Graph(weights)
    mask = graph.add("Cast", "mask", "attention_mask", to=TensorProto.INT32)
    has_head = classifies or "cls.predictions.bias" in weights
    one_output = has_head or bool(dense)
    value = _embeddings(graph, "embeddings" if one_output else FIRST_OUTPUT, f"{body}embeddings", config)
    for layer in range(config.num_hidden_layers):
        narrow = classifies and layer == config.num_hidden_layers - 1
        value = _layer(graph, f"{body}encoder.layer.{layer}", value, mask, config, narrow)
    output, shape = "logits", ["batch", "sequence", config.vocab_size]
    if classifies:
        _classifier_head(graph, f"{body}pooler.dense", value)
        shape = ["batch", len(weights["classifier.weight"])]
    elif has_head:
        _masked_lm_head(graph, value, config)
    else:
        for number, above in enumerate(dense):
            value = _dense(graph, f"dense.{number}", value, above)
        output, shape = "last_hidden_state", ["batch", "sequence", len(dense[-1].weight) if dense else config.hidden_size]
    graph.nodes[-1].output[0] = output
    outputs = {output: shape} if one_output else {output: shape, FIRST_OUTPUT: shape}
    proto = helper.make_graph(
        graph.nodes,
        "bert",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"]) for name in INPUTS],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        list(graph.tensors.values()),
    )
    versions = [helper.make_opsetid("", opset), helper.make_opsetid(FUSED, 1)]
    return helper.make_model(proto, opset_imports=versions, ir_version=IR_VERSION, producer_name="compactlm")


def _normalise(graph: _Graph, name: str, layer: str, config: Any, *values: str) -> str:
    """Add the layer normalisation of the sum of some values.

    ONNX Runtime fuses Add and LayerNormalization into SkipLayerNormalization, which is three times as slow on a CPU. It does not fuse
    Sum, so the graph uses Sum.
    """
    total = graph.add("Sum", f"{name}/sum", *values) if len(values) > 1 else values[0]
    scale, shift = graph.weight(f"{layer}.weight"), graph.weight(f"{layer}.bias")
    return graph.add("LayerNormalization", name, total, scale, shift, axis=-1, epsilon=float(config.layer_norm_eps))


def _embeddings(graph: _Graph, output: str, name: str, config: Any) -> str:
    words = graph.add("Gather", "words", graph.weight(f"{name}.word_embeddings.weight"), "input_ids")
    types = graph.add("Gather", "types", graph.weight(f"{name}.token_type_embeddings.weight"), "token_type_ids")
    length = graph.add("Shape", "length", "input_ids", start=1, end=2)
    zero = graph.constant("zero", np.array([0], np.int64))
    positions = graph.add("Slice", "positions", graph.weight(f"{name}.position_embeddings.weight"), zero, length, zero)
    return _normalise(graph, output, f"{name}.LayerNorm", config, graph.add("Add", "placed", types, positions), words)


def _layer(graph: _Graph, name: str, value: str, mask: str, config: Any, narrow: bool) -> str:
    """Add a layer; a narrow one computes only the first position, [batch, 1, hidden]."""
    heads, attention = config.num_attention_heads, f"{name}.attention"
    parts = [f"{attention}.self.{part}" for part in ("query", "key", "value")]
    biases = np.concatenate([graph.weights[f"{part}.bias"] for part in parts])
    bias = graph.constant(f"{attention}/bias", biases)
    if narrow:
        one, zero = graph.constant("one", np.array([1], np.int64)), graph.constant("zero", np.array([0], np.int64))
        first = graph.add("Slice", f"{name}/first", value, zero, one, one)
        products = [graph.product(f"{part}/product", first if part is parts[0] else value, part) for part in parts]
        mixed = graph.add("MultiHeadAttention", f"{attention}/mixed", *products, bias, mask, domain=FUSED, num_heads=heads)
        value = first
    else:
        matrix = np.concatenate([graph.weights[f"{part}.weight"].T for part in parts], axis=1)
        weight = graph.constant(f"{attention}/weight", matrix)
        mixed = graph.add("Attention", f"{attention}/mixed", value, weight, bias, mask, domain=FUSED, num_heads=heads)
    dense = graph.linear(f"{attention}/dense", mixed, f"{attention}.output.dense")
    value = _normalise(graph, f"{attention}/out", f"{attention}.output.LayerNorm", config, dense, value)
    inner = _gelu(graph, f"{name}/inner", value, f"{name}.intermediate.dense")
    outer = graph.linear(f"{name}/outer", inner, f"{name}.output.dense")
    return _normalise(graph, f"{name}/out", f"{name}.output.LayerNorm", config, outer, value)


def _gelu(graph: _Graph, name: str, value: str, layer: str) -> str:
    """Add a linear layer and its GELU; the bias is added to the product, where int8 products add it at no cost."""
    return graph.add("Gelu", name, graph.linear(f"{name}/dense", value, layer), domain=FUSED)


def _dense(graph: _Graph, name: str, value: str, layer: Dense) -> str:
    """Add a linear layer of a sentence encoder."""
    product = graph.add("MatMul", f"{name}/product", value, graph.constant(f"{name}.weight/transposed", layer.weight.T))
    return product if layer.bias is None else graph.add("Add", name, product, graph.constant(f"{name}.bias", layer.bias))


def _classifier_head(graph: _Graph, pooler: str, value: str) -> None:
    row = graph.add("Squeeze", "first", value, graph.constant("one", np.array([1], np.int64)))
    pooled = graph.add("Tanh", "pooled", graph.linear("pooler", row, pooler))
    graph.linear("labels", pooled, "classifier")


def _masked_lm_head(graph: _Graph, value: str, config: Any) -> None:
    transform = "cls.predictions.transform"
    row = _normalise(graph, "head", f"{transform}.LayerNorm", config, _gelu(graph, "head/active", value, f"{transform}.dense"))
    # The head shares the word embeddings, which are stored once. ONNX Runtime transposes them when it loads the file.
    words = graph.weight("bert.embeddings.word_embeddings.weight")
    product = graph.add("MatMul", "head/product", row, graph.add("Transpose", "head/weight", words, perm=[1, 0]))
    graph.add("Add", "tokens", product, graph.weight("cls.predictions.bias"))
