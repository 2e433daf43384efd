"""The values that a page must compute: the outputs of ONNX Runtime with the page's weights, for texts in the page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from tokenizers import Tokenizer

from compactlm.bert.arrays import Array
from compactlm.inference.api import CompactLM
from compactlm.inference.runtime.directories import EMBEDDING, FLOAT_FILE, MLM
from compactlm.inference.runtime.onnx_session import INPUTS, open_session
from compactlm.tasks import kind_of, task_of_config
from compactlm.tasks.base import Input
from compactlm.tasks.segmenting import LibrarySegmenter

# Accents, other scripts, punctuation, numbers, a word that is not in the vocabulary, and [MASK], which masked words need.
TEXTS = (
    "The room was clean and quiet, and the [MASK] was friendly.",
    "It isn't bad: 3.5 stars, but I wouldn't [MASK] it again!",
    "Un café naïf — 東京 and Москва; emoji 🙂 and zqxjkvw [MASK].",
    "[MASK]",
    "When the train arrived at the station, everybody who had waited since the morning was too tired to [MASK] about the delay. " * 3,
)
TOKENS = 12  # about so many values of a row, of masked words the likeliest
DIGITS = 6


def write_rounded(source: Path, target: Path, proto: onnx.ModelProto) -> None:
    """Write the directory of a model again with the weights of `proto`."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("onnx", "*.unfinished"))
    (target / FLOAT_FILE).parent.mkdir()
    onnx.save_model(proto, target / FLOAT_FILE)


def frozen_rows(root: Path, name: str, limit: int) -> list[dict[str, Any]]:
    """Return the token ids of each of TEXTS, and the values at some positions of the output.

    The values are logits of labels, logits of tokens, or the vector. Texts are truncated to `limit` tokens. Masked words are read at
    `position`: at the mask, or at the first token if the mask is truncated. For a task that reads pairs, `pair` is another of TEXTS, and
    `second` is the position of its first token.

    Args:
        root: a directory of models with the weights of the page.
        name: mlm, embedding or a task.
        limit: the maximum number of tokens that the page reads.
    """
    if name in (MLM, EMBEDDING):
        return _general_rows(CompactLM(root, backend="onnx", threads=1), name, limit)
    return _task_rows(root / name, limit)


def _general_rows(lm: CompactLM, name: str, limit: int) -> list[dict[str, Any]]:
    if name == EMBEDDING:
        lm.embedding.truncate = True
    model = lm.embedding.model if name == EMBEDDING else lm.mlm
    rows = []
    for text in TEXTS:
        ids = model.tokenizer.encode([text])[0]
        if len(ids) > limit:
            ids = [*ids[: limit - 1], model.tokenizer.sep]
        position = ids.index(model.tokenizer.mask) if model.tokenizer.mask in ids else 1
        if name == EMBEDDING:
            values = lm.embed([text])[0]
            places = np.arange(len(values))
        else:
            batch = model.batch([ids])
            where = np.zeros_like(batch.input_ids, dtype=bool)
            where[0, position] = True
            values = model.runner.masked_logits(batch, where)[0]
            places = np.argsort(-values, kind="stable")[:TOKENS]
        rows.append({"text": text, "ids": ids, "position": position, "values": _listed(values, places)})
    return rows


def _task_rows(path: Path, limit: int) -> list[dict[str, Any]]:
    task = task_of_config(json.loads((path / "config.json").read_text(encoding="utf-8")))
    kind, session = kind_of(task), open_session(path / FLOAT_FILE, 1)
    segmenter = LibrarySegmenter(Tokenizer.from_file(str(path / "tokenizer.json")))
    pairs: Sequence[str | None] = [None] * len(TEXTS)
    if kind.reads_pairs(task):
        pairs = [*TEXTS[1:], TEXTS[0]]
    rows = []
    for text, pair in zip(TEXTS, pairs, strict=True):
        example = kind.encode(segmenter, [Input(text, pair)], task, limit)[0][0]
        ids = np.array([example.input_ids])
        types = np.zeros_like(ids)
        if example.second is not None:
            types[0, example.second :] = 1
        outputs = session.run(None, dict(zip(INPUTS, (ids, np.ones_like(ids), types), strict=True)))
        # Starts and ends of an answer are next to each other for each token.
        values = np.stack([output[0] for output in outputs], axis=-1).ravel()
        places = np.arange(len(values))[:: max(1, len(values) // TOKENS)]
        row = {"text": text, "ids": example.input_ids, "position": 1, "values": _listed(values, places)}
        rows.append(row if pair is None else {**row, "pair": pair, "second": example.second})
    return rows


def _listed(values: Array, places: Array) -> list[list[float]]:
    return [[int(place), round(float(values[place]), DIGITS)] for place in places]
