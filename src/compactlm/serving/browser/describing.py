"""Describe a model for the page: its shape, its tokenizer and its pooling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compactlm.bert.sentence_encoder.modules import SentenceModules, is_sentence_encoder
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.directories import EMBEDDING, MLM, ModelDirectory
from compactlm.inference.runtime.projection import FIRST, load_projection
from compactlm.serving.browser.packing import Packed
from compactlm.tasks import task_of_config
from compactlm.tasks.span import NO_ANSWER_THRESHOLD

DENSE = "dense.{}.weight"


ACTIVATIONS = {"classification": "softmax", "multilabel": "sigmoid", "regression": "none"}


def shape(directory: ModelDirectory, name: str, tensors: Mapping[str, Packed]) -> dict[str, Any]:
    """Return the part of the header that describes a model without its weights.

    Raises:
        CompactLMError: the weights do not come from a file that the pipeline exported.
    """
    config = json.loads((directory.path / "config.json").read_text(encoding="utf-8"))
    layers = int(config.get("num_hidden_layers", 0))
    last = f"encoder.layer.{layers - 1}"
    needed = ["embeddings.word_embeddings.weight", f"{last}.attention.qkv.weight", f"{last}.output.dense.weight"]
    missing = [one for one in needed if one not in tensors]
    if missing or config.get("hidden_act", "gelu") != "gelu":
        raise CompactLMError(
            f"{directory.weights} cannot be put into a page ({', '.join(missing) or 'its activation is not gelu'}); pass the directory "
            "that `dvc repro export` writes"
        )
    found = {
        "name": name,
        "kind": name,
        "layers": layers,
        "heads": int(config["num_attention_heads"]),
        "width": directory.width,
        "epsilon": float(config.get("layer_norm_eps", 1e-12)),
        "limit": directory.limit,
        "parameters": sum(one.values.size for one in tensors.values()),
    }
    if name == EMBEDDING:
        return {**found, **_pooling(directory, tensors)}
    return found if name == MLM else {**found, **_task(directory, config)}


def _task(directory: ModelDirectory, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the kind of a task, and how the page reads its outputs.

    Tasks whose answers are labels or a number have the kind "task". Their activation is softmax, sigmoid or none.
    """
    task = task_of_config(config)
    found = {"labels": list(task.labels), "threshold": None, "limit": min(directory.limit, task.maximum_length or directory.limit)}
    if task.kind == "span":
        return {**found, "kind": "span", "labels": [], "threshold": float(config.get(NO_ANSWER_THRESHOLD) or 0)}
    if task.kind == "tagging":
        return {**found, "kind": "tagging"}
    return {**found, "kind": "task", "activation": ACTIVATIONS[task.kind], "pair": task.pair}


def _pooling(directory: ModelDirectory, tensors: Mapping[str, Packed]) -> dict[str, Any]:
    """Return how the sentence embedding pools: which outputs, and whether with [CLS] and [SEP]."""
    dense = sum(DENSE.format(number) in tensors for number in range(len(tensors)))
    if is_sentence_encoder(directory.path):
        modules = SentenceModules.read(directory.path)
        if modules.pooling != ("mean",) or modules.dense or modules.prompt or modules.lower_case:
            raise CompactLMError(
                f"the sentence encoder in {directory.path} cannot be put into a page, because it does not end in a plain mean; use the one "
                "that `dvc repro export` writes"
            )
        limit = min(directory.limit, modules.maximum_length or directory.limit)
        return {"dense": dense, "limit": limit, "pooling": {"frame": True, "outputs": ["last"]}}
    projection = load_projection(directory.path, directory.width)
    outputs = ["first" if layer == FIRST else "last" for layer in projection.layers] if projection else ["last"]
    return {"dense": dense, "pooling": {"frame": False, "outputs": outputs}}


def projection_tensors(directory: ModelDirectory) -> dict[str, Packed]:
    """Return the projection of a sentence embedding as a linear layer and the mean that it subtracts, both float32."""
    projection = load_projection(directory.path, directory.width)
    if projection is None:
        return {}
    return {"projection.weight": Packed(projection.weight.T.astype("float32")), "projection.mean": Packed(projection.mean)}


def tokenizer_settings(path: Path) -> dict[str, Any]:
    """Return the parts of a tokenizer.json that the page's tokenizer needs.

    Raises:
        CompactLMError: the tokenizer is not that of a BERT.
    """
    settings = json.loads(path.read_text(encoding="utf-8"))
    model, normalizer = settings["model"], settings.get("normalizer") or {}
    kinds = (model.get("type"), normalizer.get("type"), (settings.get("pre_tokenizer") or {}).get("type"))
    if kinds != ("WordPiece", "BertNormalizer", "BertPreTokenizer"):
        raise CompactLMError(
            f"{path} is not the tokenizer of a BERT ({', '.join(map(str, kinds))}); use a student that the pipeline trained"
        )
    lower = bool(normalizer.get("lowercase"))
    accents = normalizer.get("strip_accents")
    added = {token["content"]: token["id"] for token in settings["added_tokens"]}
    by_id = sorted({**model["vocab"], **added}.items(), key=lambda item: item[1])
    return {
        "vocabulary": [token for token, _ in by_id],
        "special": sorted(added),
        "prefix": model["continuing_subword_prefix"],
        "longest": model["max_input_chars_per_word"],
        "clean": bool(normalizer.get("clean_text")),
        "chinese": bool(normalizer.get("handle_chinese_chars")),
        "accents": lower if accents is None else bool(accents),
        "lower": lower,
    }
