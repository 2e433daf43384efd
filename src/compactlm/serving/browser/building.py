"""Build the content of a page: a header that describes the models, and their weights."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx

from compactlm.errors import CompactLMError
from compactlm.inference.runtime.directories import EMBEDDING, MLM, ModelDirectory, find, tasks
from compactlm.serving.browser.describing import projection_tensors, shape, tokenizer_settings
from compactlm.serving.browser.graphs import compact_graph
from compactlm.serving.browser.packing import Blob, Packed, pack
from compactlm.serving.browser.reference import frozen_rows, write_rounded

BOUND = 1e-3  # largest difference of a logit or a component of a vector between the browser and ONNX Runtime


@dataclasses.dataclass(frozen=True)
class Content:
    """The content of a page.

    Attributes:
        header: the header, which is written as JSON.
        weights: the bytes of the tensors to which the header refers.
        graphs: an ONNX file with the same weights for each model.
    """

    header: dict[str, Any]
    weights: bytes
    graphs: dict[str, bytes]


def build(root: Path, names: Sequence[str] = ()) -> Content:
    """Read exported models, round their weights, and compute the values with which the page checks itself.

    Args:
        root: a directory of exported models, with onnx/model.onnx in each.
        names: mlm, embedding or tasks; by default all that exist.

    Raises:
        CompactLMError: there is no such model, or it cannot be put into a page.
    """
    with tempfile.TemporaryDirectory(prefix="compactlm-page-") as scratch:
        return _build(root, _chosen(root, names), Path(scratch))


def _chosen(root: Path, names: Sequence[str]) -> list[str]:
    if (root / "config.json").exists():
        raise CompactLMError(f"{root} is one model; pass the directory above it with --model, and name the model with --only")
    if names:
        return list(dict.fromkeys(names))
    present = [*tasks(root), *(name for name in (EMBEDDING, MLM) if (root / name / "config.json").exists())]
    if not present:
        raise CompactLMError(f"there is no model in {root}; run `dvc repro export`, or pass another directory with --model")
    return present


def _build(root: Path, names: Sequence[str], scratch: Path) -> Content:
    blob, models, tokenizers = Blob(), [], []
    graphs: dict[str, bytes] = {}
    for name in names:
        directory = find(root, name, "onnx")
        proto = _load(directory)
        unrounded = onnx.ModelProto()
        unrounded.CopyFrom(proto)
        tensors = pack(proto)
        if name == EMBEDDING:
            tensors |= projection_tensors(directory)
        write_rounded(directory.path, scratch / name, proto)
        settings = tokenizer_settings(directory.path / "tokenizer.json")
        if settings not in tokenizers:
            tokenizers.append(settings)
        models.append({**shape(directory, name, tensors), "tokenizer": tokenizers.index(settings), "tensors": _store(blob, tensors)})
        graphs[name] = compact_graph(unrounded, one_position=name == MLM)
    for model in models:
        model["frozen"] = frozen_rows(scratch, model["name"], model["limit"])
    return Content({"bound": BOUND, "tokenizers": tokenizers, "models": models}, blob.content(), graphs)


def _store(blob: Blob, tensors: dict[str, Packed]) -> dict[str, Any]:
    return {name: blob.add(tensor) for name, tensor in sorted(tensors.items())}


def _load(directory: ModelDirectory) -> onnx.ModelProto:
    try:
        return onnx.load(directory.weights)
    except Exception as error:  # noqa: BLE001 - protobuf's errors have no common base
        reason = " ".join(str(error).split())[:120]
        raise CompactLMError(
            f"{directory.weights} cannot be read ({reason}); restore it with `dvc checkout`, or copy the model again"
        ) from None
