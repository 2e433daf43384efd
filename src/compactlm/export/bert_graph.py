"""Build an ONNX graph of BERT directly from the weights, with operators that ONNX Runtime runs fast on a CPU.

A compact BERT spends most of its time outside the matrix products, so attention and GELU are fused operators (com.microsoft, available on
every platform of ONNX Runtime). A classifier uses only [CLS], so its last layer computes only that position, except for the keys and
values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from compactlm.bert.sentence_encoder.dense import Dense
from compactlm.export.onnx_graph import FUSED, Graph, Weights, gelu, normalise
from compactlm.export.onnx_heads import HEADS, head_of
from compactlm.inference.runtime.onnx_session import FIRST_OUTPUT, INPUTS

IR_VERSION = 10  # the file format of opset 21; older runtimes reject newer formats


def build_bert(weights: Weights, config: Any, opset: int, dense: Sequence[Dense] = (), states: Sequence[int] = ()) -> onnx.ModelProto:
    """Return the graph of a BERT with a head for masked words, sequences, tokens or questions, or of a BertModel.

    Inputs are input_ids, attention_mask and token_type_ids, int64 [batch, sequence]. The output is `logits`, float32: [batch, sequence,
    vocabulary] of a BertForMaskedLM, [batch, labels] of a BertForSequenceClassification, [batch, sequence, labels] of a
    BertForTokenClassification. A BertForQuestionAnswering has `start_logits` and `end_logits`, float32 [batch, sequence].

    A BertModel has two outputs, float32 [batch, sequence, hidden]: `last_hidden_state` and, for sentence embeddings, `first_hidden_state`,
    the output of the embeddings. With dense layers it has one output, `last_hidden_state`, float32 [batch, sequence, width of the last
    dense layer]. The layers are applied to each token, and the mean over tokens is the sentence vector.

    Args:
        weights: the weights, float32, by their names in transformers.
        config: the BertConfig, with GELU and absolute positions, and not a decoder.
        opset: the version of the ONNX operators.
        dense: linear layers without activation on top of a BertModel.
        states: layers of a BertModel below the last one, 0 for the embeddings. Their hidden states are further outputs, named by
            `state_name`.
    """
    body = "bert." if any(name.startswith("bert.") for name in weights) else ""
    head = head_of(weights)
    graph = Graph(weights)
    mask = graph.add("Cast", "mask", "attention_mask", to=TensorProto.INT32)
    two_outputs = head == "none" and not dense
    value = _embeddings(graph, FIRST_OUTPUT if two_outputs else "embeddings", f"{body}embeddings", config)
    hidden = [value]
    for layer in range(config.num_hidden_layers):
        narrow = head == "sequence" and layer == config.num_hidden_layers - 1
        value = _layer(graph, f"{body}encoder.layer.{layer}", value, mask, config, narrow)
        hidden.append(value)
    outputs = HEADS[head](graph, value, config, dense)
    if two_outputs:
        outputs[FIRST_OUTPUT] = outputs["last_hidden_state"]
    for layer in states:
        outputs[graph.add("Identity", state_name(layer), hidden[layer])] = ["batch", "sequence", config.hidden_size]
    proto = helper.make_graph(
        graph.nodes,
        "bert",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"]) for name in INPUTS],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        list(graph.tensors.values()),
    )
    versions = [helper.make_opsetid("", opset), helper.make_opsetid(FUSED, 1)]
    return helper.make_model(proto, opset_imports=versions, ir_version=IR_VERSION, producer_name="compactlm")


def state_name(layer: int) -> str:
    """Return the name of the output with the hidden states of a layer."""
    return f"hidden_state.{layer}"


def _embeddings(graph: Graph, output: str, name: str, config: Any) -> str:
    words = graph.add("Gather", "words", graph.weight(f"{name}.word_embeddings.weight"), "input_ids")
    types = graph.add("Gather", "types", graph.weight(f"{name}.token_type_embeddings.weight"), "token_type_ids")
    length = graph.add("Shape", "length", "input_ids", start=1, end=2)
    zero = graph.constant("zero", np.array([0], np.int64))
    positions = graph.add("Slice", "positions", graph.weight(f"{name}.position_embeddings.weight"), zero, length, zero)
    return normalise(graph, output, f"{name}.LayerNorm", config, graph.add("Add", "placed", types, positions), words)


def _layer(graph: Graph, name: str, value: str, mask: str, config: Any, narrow: bool) -> str:
    """Add a layer. A narrow layer computes only the first position, [batch, 1, hidden]."""
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
    value = normalise(graph, f"{attention}/out", f"{attention}.output.LayerNorm", config, dense, value)
    inner = gelu(graph, f"{name}/inner", value, f"{name}.intermediate.dense")
    outer = graph.linear(f"{name}/outer", inner, f"{name}.output.dense")
    return normalise(graph, f"{name}/out", f"{name}.output.LayerNorm", config, outer, value)
