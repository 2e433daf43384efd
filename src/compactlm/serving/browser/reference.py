"""The values that a page must compute: those of ONNX Runtime on the weights of the page, for texts that the page carries."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from compactlm.bert.arrays import Array
from compactlm.inference.api import CompactLM
from compactlm.inference.runtime.directories import EMBEDDING, FLOAT_FILE, MLM

# Accents, other scripts, punctuation, numbers, a word that is not in the vocabulary, and [MASK], which masked words need.
TEXTS = (
    "The room was clean and quiet, and the [MASK] was friendly.",
    "It isn't bad: 3.5 stars, but I wouldn't [MASK] it again!",
    "Un café naïf — 東京 and Москва; emoji 🙂 and zqxjkvw [MASK].",
    "[MASK]",
    "When the train arrived at the station, everybody who had waited since the morning was too tired to [MASK] about the delay. " * 3,
)
TOKENS = 12  # values of masked words that a row carries: the likeliest tokens
DIGITS = 6


def write_rounded(source: Path, target: Path, proto: onnx.ModelProto) -> None:
    """Write the directory of a model again with the weights of `proto`."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("onnx", "*.unfinished"))
    (target / FLOAT_FILE).parent.mkdir()
    onnx.save_model(proto, target / FLOAT_FILE)


def frozen_rows(lm: CompactLM, name: str, limit: int) -> list[dict[str, Any]]:
    """Return for each of TEXTS its token ids and the values at some places of the output: label logits, token logits, or the vector.

    Texts are truncated at `limit` tokens. Masked words are read at `position`: at the mask, or at the first token if the mask is cut off.
    """
    if name == EMBEDDING:
        lm.embedding.truncate = True
    model = lm.embedding.model if name == EMBEDDING else lm.mlm if name == MLM else lm.task(name)
    rows = []
    for text in TEXTS:
        ids = model.tokenizer.encode([text])[0]
        if len(ids) > limit:
            ids = [*ids[: limit - 1], model.tokenizer.sep]
        position = ids.index(model.tokenizer.mask) if model.tokenizer.mask in ids else 1
        values, places = _values(lm, name, text, ids, position)
        pairs = [[int(place), round(float(values[place]), DIGITS)] for place in places]
        rows.append({"text": text, "ids": ids, "position": position, "values": pairs})
    return rows


def _values(lm: CompactLM, name: str, text: str, ids: list[int], position: int) -> tuple[Array, Array]:
    """Return the output for a text, and the places of it that are kept."""
    if name == EMBEDDING:
        vector = lm.embed([text])[0]
        return vector, np.arange(len(vector))
    model = lm.mlm if name == MLM else lm.task(name)
    batch = model.batch([ids])
    if name == MLM:
        where = np.zeros_like(batch.input_ids, dtype=bool)
        where[0, position] = True
        logits = model.runner.masked_logits(batch, where)[0]
        return logits, np.argsort(-logits, kind="stable")[:TOKENS]
    logits = model.runner.task_logits(batch)[0]
    return logits, np.arange(len(logits))
