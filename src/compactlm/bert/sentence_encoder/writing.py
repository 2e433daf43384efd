"""Write and copy the files that turn a directory with a BERT into a sentence encoder of sentence-transformers. No torch."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compactlm.bert.sentence_encoder.dense import Dense
from compactlm.bert.sentence_encoder.json_files import read_settings, write_settings
from compactlm.bert.sentence_encoder.modules import LENGTH, MODULES, OLD_POOLINGS, PACKAGE, SETTINGS, SentenceModules, module_files

ALWAYS = 4  # the first switches of OLD_POOLINGS, which all versions know


def write_modules(
    directory: Path,
    pooling: Sequence[str] = ("mean",),
    dense: Sequence[Dense] = (),
    normalise: bool = True,
    maximum_length: int | None = None,
    width: int | None = None,
) -> None:
    """Write the modules' files into the directory of a BERT, in the form that versions 2 to 6 of sentence-transformers read.

    Args:
        directory: it has the BERT's config.json, and no modules yet.
        pooling: names from POOLINGS.
        dense: the layers that follow the pooling.
        normalise: whether vectors have length 1.
        maximum_length: the number of tokens, with [CLS] and [SEP], to which texts are truncated; None takes the tokenizer's.
        width: the width of the vectors that are pooled; None takes the BERT's hidden size.
    """
    kinds = ["Transformer", "Pooling", *["Dense"] * len(dense), *["Normalize"] * normalise]
    paths = ["", *(f"{number}_{kind}" for number, kind in enumerate(kinds[1:], start=1))]
    (directory / paths[1]).mkdir()
    width = width or read_settings(directory / "config.json")["hidden_size"]
    write_settings(directory / paths[1] / "config.json", {"word_embedding_dimension": width, **_pooling_settings(pooling)})
    for layer, path in zip(dense, paths[2:], strict=False):
        layer.write(directory / path)
    if maximum_length is not None:
        write_settings(directory / LENGTH[0], {"max_seq_length": maximum_length, "do_lower_case": False})
    write_settings(directory / SETTINGS, {"prompts": {}, "default_prompt_name": None, "similarity_fn_name": "cosine"})
    listed = [
        {"idx": number, "name": str(number), "path": path, "type": f"{PACKAGE}models.{kind}"}
        for number, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    write_settings(directory / MODULES, listed)


def _pooling_settings(modes: Sequence[str]) -> dict[str, Any]:
    """Return the switches that all versions read. If these would change the order of the results, return the newer list instead."""
    if [mode for mode in OLD_POOLINGS.values() if mode in modes] != list(modes):
        return {"pooling_mode": list(modes)}
    return {key: mode in modes for number, (key, mode) in enumerate(OLD_POOLINGS.items()) if number < ALWAYS or mode in modes}


def copy_modules(source: Path, target: Path) -> None:
    """Copy the files of a sentence encoder, without its BERT and tokenizer, to the directory of a copy of its BERT.

    Raises:
        CompactLMError: the modules in `source` are of a kind that is not supported.
    """
    SentenceModules.read(source)
    for path in module_files(source):  # never a pickle or code
        copy = target / path.relative_to(source)
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)
