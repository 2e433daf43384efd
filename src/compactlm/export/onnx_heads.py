"""The heads of a BERT in ONNX: for sequences, tokens, questions and masked words, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from compactlm.bert.sentence_encoder.dense import Dense
from compactlm.export.onnx_graph import Graph, Weights, gelu, normalise

Shapes = dict[str, list[Any]]  # the name and the shape of each output


def head_of(weights: Weights) -> str:
    """Return the kind of head that the weights have, a key of HEADS."""
    if "classifier.weight" in weights:
        return "sequence" if "bert.pooler.dense.weight" in weights else "tokens"
    if "qa_outputs.weight" in weights:
        return "question"
    return "masked words" if "cls.predictions.bias" in weights else "none"


def _no_head(graph: Graph, value: str, config: Any, dense: Sequence[Dense]) -> Shapes:
    """Add the linear layers of a sentence encoder."""
    for number, layer in enumerate(dense):
        name = f"dense.{number}"
        value = graph.add("MatMul", f"{name}/product", value, graph.constant(f"{name}.weight/transposed", layer.weight.T))
        value = value if layer.bias is None else graph.add("Add", name, value, graph.constant(f"{name}.bias", layer.bias))
    graph.rename_last("last_hidden_state")
    return {"last_hidden_state": ["batch", "sequence", len(dense[-1].weight) if dense else config.hidden_size]}


def _sequence_head(graph: Graph, value: str, config: Any, dense: Sequence[Dense]) -> Shapes:  # noqa: ARG001 - one signature for all heads
    row = graph.add("Squeeze", "first", value, graph.constant("one", np.array([1], np.int64)))
    graph.linear("logits", graph.add("Tanh", "pooled", graph.linear("pooler", row, "bert.pooler.dense")), "classifier")
    return {"logits": ["batch", len(graph.weights["classifier.weight"])]}


def _token_head(graph: Graph, value: str, config: Any, dense: Sequence[Dense]) -> Shapes:  # noqa: ARG001
    graph.linear("logits", value, "classifier")
    return {"logits": ["batch", "sequence", len(graph.weights["classifier.weight"])]}


def _question_head(graph: Graph, value: str, config: Any, dense: Sequence[Dense]) -> Shapes:  # noqa: ARG001
    both = graph.linear("spans", value, "qa_outputs")
    for at, name in enumerate(("start_logits", "end_logits")):
        graph.add("Gather", name, both, graph.constant(f"{name}/column", np.array(at, np.int64)), axis=2)
    return {"start_logits": ["batch", "sequence"], "end_logits": ["batch", "sequence"]}


def _masked_lm_head(graph: Graph, value: str, config: Any, dense: Sequence[Dense]) -> Shapes:  # noqa: ARG001
    transform = "cls.predictions.transform"
    row = normalise(graph, "head", f"{transform}.LayerNorm", config, gelu(graph, "head/active", value, f"{transform}.dense"))
    # The head shares the word embeddings, which are stored once. ONNX Runtime transposes them when it loads the file.
    words = graph.weight("bert.embeddings.word_embeddings.weight")
    product = graph.add("MatMul", "head/product", row, graph.add("Transpose", "head/weight", words, perm=[1, 0]))
    graph.add("Add", "logits", product, graph.weight("cls.predictions.bias"))
    return {"logits": ["batch", "sequence", config.vocab_size]}


HEADS = {
    "none": _no_head,
    "sequence": _sequence_head,
    "tokens": _token_head,
    "question": _question_head,
    "masked words": _masked_lm_head,
}
