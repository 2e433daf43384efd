"""The reference sample next to an exported model: the model's description of rows of its task. It contains no text.

The rows are of the validation split, because a model is more confident on rows that it was trained on.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.improvement.describing import Described, describe, different_words
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.runtime.model import Model

FOLDER = "reference"
ROWS_FILE, ABOUT_FILE = "rows.safetensors", "reference.json"
FEWEST_ROWS_A_WORD = 3  # a word of fewer rows is not stored, since it could identify a person
# Answers to these texts show whether the same model reads a sample. A hash of the weights would differ from machine to machine.
PROBES = ("A good day.", "Nobody knew what it was about, and nobody asked.", "How far is it from here to the sea?")
SAME = 0.01  # the largest difference of two answers of one model on different machines


@dataclasses.dataclass(frozen=True)
class Reference:
    """The model's description of rows of its task.

    Attributes:
        described: vectors, counts and answers of the rows.
        expected: the index of each row's own label, int64 [rows]; None for a task that gives no labels.
        labels: the labels of the task; empty for a task that gives no labels.
        words: the number of rows with each word, for words of FEWEST_ROWS_A_WORD rows or more.
        model: the model of the task; None for a task that gives no labels.
    """

    described: Described
    expected: Array | None
    labels: tuple[str, ...]
    words: Mapping[str, int]
    model: Model | None = None

    @property
    def right(self) -> Array | None:
        """Whether the model gives each row its own label, bool [rows]; None for a task that gives no labels."""
        if self.expected is None or self.described.answers is None:
            return None
        return np.asarray(self.described.answers == self.expected)


class Exported(Protocol):
    """The interface of a directory of exported models. compactlm.CompactLM has it, but imports far more than is needed here."""

    root: Path

    @property
    def embedding(self) -> SentenceEmbedding: ...  # noqa: D102
    def task(self, name: str) -> Model: ...  # noqa: D102


def make_reference(
    texts: Sequence[str], expected: Sequence[int] | None, embedding: SentenceEmbedding, task: Model | None
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the tensors and the facts of a reference sample.

    Args:
        texts: rows that the model was not trained on.
        expected: the index of each row's label, for a task that gives each text one label.
        embedding: the sentence embedding next to the task's model.
        task: the model of the task, if it gives each text one label.
    """
    described = describe(texts, embedding, task)
    assert described.vectors is not None  # noqa: S101 - described from texts
    tokenizer = embedding.model.tokenizer
    words = Counter(word for text in texts for word in different_words(tokenizer, text))
    tensors = {"embedding": described.vectors.astype(np.float16), "counts": described.counts, **_probe(embedding, task)}
    labels: tuple[str, ...] = ()
    if task is not None and expected is not None and described.probabilities is not None and described.answers is not None:
        labels = task.directory.labels
        tensors |= {
            "probabilities": described.probabilities,
            "answers": described.answers,
            "expected": np.array(expected, dtype=np.int64),
        }
    about = {
        "rows": len(texts),
        "labels": list(labels),
        "words": {word: count for word, count in sorted(words.items()) if count >= FEWEST_ROWS_A_WORD},
    }
    return tensors, about


def write_reference(directory: Path, tensors: Mapping[str, Array], about: Mapping[str, Any]) -> None:
    """Write a reference sample; equal samples give equal bytes."""
    directory.mkdir(parents=True)
    # Not save_file, whose file no other user may read.
    (directory / ROWS_FILE).write_bytes(save({name: np.ascontiguousarray(values) for name, values in tensors.items()}))
    text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False)
    (directory / ABOUT_FILE).write_text(text + "\n", encoding="utf-8")


def read_reference(lm: Exported, task: str) -> Reference:
    """Read the reference sample of a task.

    Args:
        lm: the exported models. They must run on ONNX Runtime in fp32, because the vectors of int8 differ from those of the sample.
        task: the name of the task.

    Raises:
        CompactLMError: there is none, it is damaged, or another model made it.
    """
    directory = lm.root / FOLDER / task
    if not (directory / ABOUT_FILE).is_file():
        raise CompactLMError(f"{directory} has no reference sample; run `dvc repro export`, or pass an exported model with --model")
    try:
        about = json.loads((directory / ABOUT_FILE).read_text(encoding="utf-8"))
        tensors = load_file(directory / ROWS_FILE)
        reference = _reference(about, tensors)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError, SafetensorError):
        raise CompactLMError(f"{directory} is damaged; restore it with `dvc checkout`, or copy the model again") from None
    if reference.labels:
        reference = dataclasses.replace(reference, model=lm.task(task))
    if not _same_model(tensors, _probe(lm.embedding, reference.model)):
        raise CompactLMError(f"{directory} was made by another model than those in {lm.root}; copy the whole directory of one export again")
    return reference


def _reference(about: Mapping[str, Any], tensors: Mapping[str, Array]) -> Reference:
    rows, labels = about["rows"], tuple(map(str, about["labels"]))
    named = ("embedding", "counts", *(("probabilities", "answers", "expected") if labels else ()))
    values = {name: tensors[name] for name in named}
    if any(len(value) != rows or not np.isfinite(value.astype(np.float64)).all() for value in values.values()):
        raise ValueError("the tensors differ in length, or are not finite")
    if labels and values["probabilities"].shape != (rows, len(labels)):
        raise ValueError("the probabilities do not fit the labels")
    described = Described(values["embedding"].astype(np.float32), values["counts"], values.get("probabilities"), values.get("answers"))
    return Reference(described, values.get("expected"), labels, {str(word): int(count) for word, count in about["words"].items()})


def _probe(embedding: SentenceEmbedding, task: Model | None) -> dict[str, Array]:
    """Return a model's answers to PROBES."""
    found = describe(PROBES, embedding, task)
    answers = {"probe_embedding": found.vectors, "probe_probabilities": found.probabilities}
    return {name: values for name, values in answers.items() if values is not None}


def _same_model(tensors: Mapping[str, Array], probe: Mapping[str, Array]) -> bool:
    """Return whether the answers to PROBES equal those of a sample."""
    stored = {name: tensors[name] for name in probe if name in tensors}
    return len(stored) == len(probe) and all(
        values.shape == probe[name].shape and np.allclose(values, probe[name], rtol=0, atol=SAME) for name, values in stored.items()
    )
