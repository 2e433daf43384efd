"""The machine-independent cost of a model: multiply-adds per token, and bytes on disk."""

from __future__ import annotations

from pathlib import Path

from transformers import BertConfig


def multiply_adds_a_token(config: BertConfig, tokens: int) -> int:
    """Return the multiply-adds of a BERT's body for each token of a sequence of `tokens` tokens.

    This counts the matrix products of all layers: four projections, two products of the feed-forward part, and the attention of each token
    to the whole sequence. Embeddings need no products. Normalisation, activations and the head are left out, because their cost is small.
    """
    hidden, intermediate = config.hidden_size, config.intermediate_size
    layer = 4 * hidden * hidden + 2 * hidden * intermediate + 2 * tokens * hidden
    return int(config.num_hidden_layers * layer)


def bytes_on_disk(directory: Path) -> int:
    """Return the size of all files of a model's directory: weights, configuration and tokenizer."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
