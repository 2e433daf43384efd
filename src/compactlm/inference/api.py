"""The finished model as a Python object.

from compactlm import CompactLM

lm = CompactLM("models/export")
lm.fill("The cat sits on the [MASK].")
lm.classify("A film to remember.").label
"""

from __future__ import annotations

import ctypes
import functools
import gc
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError, needs
from compactlm.inference.arguments import as_path, check_whole
from compactlm.inference.completing import Completion, complete
from compactlm.inference.coverage import Check, check
from compactlm.inference.embedding import Comparison, SentenceEmbedding, compare
from compactlm.inference.filling import Candidate, fill
from compactlm.inference.inspecting import Inspection, inspect
from compactlm.inference.runtime import directories
from compactlm.inference.runtime.directories import BACKENDS, Backend
from compactlm.inference.runtime.measured import read_top1
from compactlm.inference.runtime.model import Model
from compactlm.inference.search import similarity
from compactlm.inference.search.knowledge import Knowledge
from compactlm.inference.search.similarity import Neighbour
from compactlm.inference.summarizing import Sentence, summarize
from compactlm.inference.tasks.methods import DEFAULT_TASK, TaskMethods, several, single

if TYPE_CHECKING:
    from compactlm.inference.finetuning.any_kind import FineTunedTask
    from compactlm.inference.finetuning.user_task import FineTuned

MOST_THREADS = 1024


def _keep_runners() -> None:
    """In a forked process, never free the loaded weights of its parent: ONNX Runtime would wait for threads, which a fork does not copy."""
    for found in gc.get_objects():
        if type(found) is Model and found._opened is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(found._opened[1]))


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_keep_runners)


class CompactLM(TaskMethods):
    """A finished compact BERT: its masked language model, its tasks and its sentence embedding, each loaded at first use.

    Every method raises CompactLMError, with a one-sentence message, if the model is missing or damaged or the text cannot
    be used.
    """

    def __init__(self, model: str | Path | None = None, *, backend: Backend = "auto", threads: int = 0) -> None:
        """Choose the models.

        Args:
            model: a directory of models (models/student, models/export), or of a single model; None takes the environment
                variable COMPACTLM_MODEL or the pipeline's models.
            backend: "torch", "onnx", "int8", or "auto": ONNX Runtime if there is a file for it. Only "torch" imports torch
                and transformers.
            threads: CPU threads; 0 uses all cores.
        """
        if backend not in BACKENDS:
            raise CompactLMError(f"there is no backend {backend!r}; choose one of {', '.join(BACKENDS)}")
        check_whole("threads", threads, 0, MOST_THREADS)
        self.chosen = model is not None
        self.root = as_path("model", model) if model is not None else directories.default_root(backend)
        self.backend: Backend = backend
        self.threads = threads
        self._tasks: dict[str, Model] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for a copy. The copy loads its models at first use."""
        return {name: getattr(self, name) for name in ("chosen", "root", "backend", "threads")} | {"_tasks": {}}

    @functools.cached_property
    def mlm(self) -> Model:
        """The masked language model."""
        return Model(self.root, directories.MLM, "mlm", self.backend, self.threads)

    def task(self, name: str = DEFAULT_TASK) -> Model:
        """Return the model of a task."""
        if name not in self._tasks:
            self._tasks[name] = Model(self.root, name, "task", self.backend, self.threads)
        return self._tasks[name]

    @property
    def tasks(self) -> list[str]:
        """The names of the tasks."""
        return directories.tasks(self.root)

    @functools.cached_property
    def embedding(self) -> SentenceEmbedding:
        """The sentence embedding: the model in embedding/ if there is one, else the body of the masked language model (torch)."""
        separate = (self.root / directories.EMBEDDING).is_dir()
        if not separate and (self.root / directories.MLM).is_dir() and self.backend in ("auto", "torch"):
            model = Model(self.root, directories.MLM, "embedding", "torch", self.threads)
        else:
            model = Model(self.root, directories.EMBEDDING, "embedding", self.backend, self.threads)
        return SentenceEmbedding.open(model)

    def fill(self, text: str, top_k: int = 5) -> list[list[Candidate]]:
        """Return the likeliest tokens for each [MASK] of a text; see filling.fill."""
        return fill(self.mlm, single(text), top_k)

    @property
    def measured_top1(self) -> float | None:
        """How often the first choice of `fill` is right on test text, 0 to 1; None for a model that was not exported by the pipeline."""
        return read_top1(self.mlm.directory)

    def inspect(self, text: str, top_k: int = 3) -> Inspection:
        """Return the tokens of a text, their attention (torch only) and the predictions at each position."""
        return inspect(self.mlm, single(text), top_k)

    def check(self, lines: Iterable[str]) -> Check:
        """Count how well the tokenizer represents lines of text."""
        return check(self.mlm.tokenizer, several(lines))

    def embed(self, texts: Iterable[str]) -> Array:
        """Return a unit vector for each text, float32 [texts, width]; see embedding.SentenceEmbedding."""
        return self.embedding.embed(list(several(texts)))

    def compare(self, first: str, second: str) -> Comparison:
        """Return the similarity and the distance of two texts."""
        return compare(*self.embed([first, second]))

    def similar(self, text: str, top_k: int = 10, file: str | Path | None = None) -> list[Neighbour]:
        """Return the nearest words of the vocabulary, or the nearest lines of a file, to a text."""
        index = similarity.word_index(self.embedding) if file is None else similarity.line_index(self.embedding, as_path("file", file))
        return similarity.neighbours(self.embedding, index, single(text), top_k)

    def complete(
        self, text: str, length: int = 12, temperature: float = 0.0, top_k: int = 20, beams: int = 1, seed: int = 0
    ) -> list[Completion]:
        """Add tokens to the end of a text; see completing.complete."""
        return complete(self.mlm, single(text), length, temperature, top_k, beams, seed)

    def knowledge(self, file: str | Path, index: str | Path | None = None) -> Knowledge:
        """Open a file to answer questions from; see knowledge.Knowledge."""
        return Knowledge(as_path("file", file), self.embedding, as_path("index", index) if index is not None else None)

    def summarize(self, text: str, sentences: int = 3) -> list[Sentence]:
        """Return the central sentences of a text; see summarizing.summarize."""
        return summarize(self.embedding, single(text), sentences)

    def finetune(
        self,
        file: str | Path,
        text: str,
        label: str,
        output: str | Path,
        teacher: str | Path | None = None,
        *,
        epochs: int = 20,
        learning_rate: float = 5e-4,
        seed: int = 0,
        say: Callable[[str], object] = str,
    ) -> FineTuned:
        """Fine-tune a copy of the student on a file of labelled rows; see labelled.read_labelled and user_task.finetune."""
        with needs("train", "fine-tuning"):
            from compactlm.inference.finetuning.labelled import read_labelled
            from compactlm.inference.finetuning.user_task import finetune

        student = self._base()
        data = read_labelled(as_path("file", file), text, label)
        if data.left_out:
            say(f"{data.left_out:,} rows of {file} are skipped: no text, no label, a repeated text, or a text with several labels")
        teacher = as_path("teacher", teacher) if teacher is not None else None
        how: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate, "seed": seed, "threads": self.threads, "say": say}
        return finetune(student, data, as_path("output", output), teacher, **how)

    def finetune_task(
        self,
        file: str | Path,
        columns: Mapping[str, Any],
        output: str | Path,
        *,
        epochs: int = 20,
        learning_rate: float = 5e-4,
        seed: int = 0,
        say: Callable[[str], object] = str,
    ) -> FineTunedTask:
        """Fine-tune a copy of the student for a task of any kind; see rows.read_rows for the columns and any_kind.finetune_task."""
        with needs("train", "fine-tuning"):
            from compactlm.inference.finetuning.any_kind import finetune_task
            from compactlm.inference.finetuning.rows import read_rows

        student = self._base()
        found = read_rows(as_path("file", file), columns)
        if found.left_out:
            reasons = "no text, no label, a repeat, a text with several answers, or an answer that is not in its passage"
            say(f"{found.left_out:,} rows of {file} are skipped: {reasons}")
        return finetune_task(
            student, found, as_path("output", output), epochs=epochs, learning_rate=learning_rate, seed=seed, threads=self.threads, say=say
        )

    def _base(self) -> Path:
        return directories.find_base(self.root if self.chosen else directories.default_root("torch")).path
