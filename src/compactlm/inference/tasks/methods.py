"""The methods of CompactLM for tasks."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.inference.arguments import check_whole
from compactlm.inference.runtime import directories
from compactlm.inference.runtime.model import Model
from compactlm.inference.tasks import classifying, extracting, ranking, scoring, tagging
from compactlm.inference.tasks.classifying import Classification, LabelSet
from compactlm.inference.tasks.extracting import Extraction
from compactlm.inference.tasks.ranking import Ranked
from compactlm.inference.tasks.scoring import Score
from compactlm.inference.tasks.tagging import Tagging
from compactlm.tasks.base import Input
from compactlm.text.unicode import encodable

DEFAULT_TASK = "sentiment"
METHODS = {"classification": "classify", "multilabel": "classify", "regression": "score", "tagging": "tag", "span": "extract"}
Text = str | Sequence[str]  # a text, or the two texts of a pair
AnyText = TypeVar("AnyText", bound=Text)


def several(texts: Iterable[str]) -> Iterator[str]:
    """Return checked texts; raise CompactLMError for a single string (an iterable of letters), and for values that are not iterable."""
    return map(single, _listed(texts))


def _listed(texts: Iterable[AnyText]) -> Iterable[AnyText]:
    if isinstance(texts, str | bytes):
        raise CompactLMError(f"{texts[:40]!r} is a single text; pass a list of texts")
    # A mapping or a table would give the names of its keys or columns, and an array of no dimension cannot be iterated.
    if not isinstance(texts, Iterable) or isinstance(texts, Mapping) or getattr(texts, "ndim", 1) == 0 or hasattr(texts, "columns"):
        raise CompactLMError(f"{repr(texts)[:40]} is no list of texts; pass a list, or another iterable, of strings")
    return texts


def single(text: Any) -> str:
    """Return a text as a plain string; raise CompactLMError for anything else, such as None or NaN for a missing text."""
    if not isinstance(text, str):
        raise CompactLMError(f"{str(text)[:40]} is no text but of type {type(text).__name__}; pass strings, and leave out missing texts")
    return encodable(str(text))  # a plain string, also for numpy.str_


def _row(text: Text) -> Input:
    """Return a text, or a pair in a tuple or a list, as a row."""
    if isinstance(text, tuple | list) and len(text) == 2:
        return Input(single(text[0]), pair=single(text[1]))
    return Input(single(text))


class TaskMethods(abc.ABC):
    """The methods for tasks. If no task is named, a method uses the only suitable one, or `sentiment`.

    Every method raises CompactLMError if there is no such task, or if a text cannot be used.
    """

    root: Path

    @abc.abstractmethod
    def task(self, name: str = DEFAULT_TASK) -> Model:
        """Return the model of a task."""

    @property
    @abc.abstractmethod
    def tasks(self) -> list[str]:
        """The names of the tasks."""

    @abc.abstractmethod
    def embed(self, texts: Iterable[str]) -> Array:
        """Return a unit vector for each text."""

    def task_for(self, kinds: Sequence[str], name: str | None = None) -> Model:
        """Return the model of a task that has one of these kinds. If `name` is None, take the only one, or `sentiment`.

        Raises:
            CompactLMError: there is no such task, it has another kind, or there are several and none is named.
        """
        if name is None and not (self.root / "config.json").exists():
            name = self._only(kinds)
        model = self.task(DEFAULT_TASK if name is None else name)
        kind = model.directory.task.kind
        if kind not in kinds:
            raise CompactLMError(f"the task {model.directory.path.name!r} is of the kind {kind}; use {METHODS[kind]}")
        return model

    def _only(self, kinds: Sequence[str]) -> str:
        found = [name for name in self.tasks if self._kind(name) in kinds]
        if DEFAULT_TASK in found or len(found) == 1:
            return DEFAULT_TASK if DEFAULT_TASK in found else found[0]
        if not self.tasks or not self.root.is_dir():
            return DEFAULT_TASK  # opening it says what is missing
        if found:
            raise CompactLMError(f"there are several tasks of the kind {' or '.join(kinds)}: {', '.join(found)}; choose one (--task)")
        named = ", ".join(f"{name} ({self._kind(name)})" for name in self.tasks)
        raise CompactLMError(f"{self.root} has no task of the kind {' or '.join(kinds)}; its tasks are {named}")

    def _kind(self, name: str) -> str:
        return directories.read_task(self.root / name).kind

    def classify(self, text: str, task: str | None = None, *, pair: str | None = None) -> Classification | LabelSet:
        """Return the label (or labels) of a text or a pair of texts, with probabilities."""
        return next(self.classify_all([text if pair is None else (text, pair)], task, texts_at_once=1))

    def classify_all(
        self, texts: Iterable[Text], task: str | None = None, texts_at_once: int = classifying.TEXTS_AT_ONCE
    ) -> Iterator[Classification | LabelSet]:
        """Yield the answer of `classify` for each text or pair of texts; see classifying.classify."""
        return classifying.classify(self.task_for(classifying.KINDS, task), map(_row, _listed(texts)), texts_at_once)

    def score(self, text: str, task: str | None = None, *, pair: str | None = None) -> Score:
        """Return the score of a text or a pair of texts."""
        return next(self.score_all([text if pair is None else (text, pair)], task, texts_at_once=1))

    def score_all(self, texts: Iterable[Text], task: str | None = None, texts_at_once: int = scoring.TEXTS_AT_ONCE) -> Iterator[Score]:
        """Yield the answer of `score` for each text or pair of texts."""
        return scoring.score(self.task_for(scoring.KINDS, task), map(_row, _listed(texts)), texts_at_once)

    def tag(self, text: Text, task: str | None = None) -> Tagging:
        """Return the tags of the words of a text, and the entities; `text` may be a list of words."""
        return next(self.tag_all([text], task, texts_at_once=1))

    def tag_all(self, texts: Iterable[Text], task: str | None = None, texts_at_once: int = tagging.TEXTS_AT_ONCE) -> Iterator[Tagging]:
        """Yield the answer of `tag` for each text, or for each list of words."""
        rows = (tagging.as_row(list(several(text)) if isinstance(text, list | tuple) else single(text)) for text in _listed(texts))
        return tagging.tag(self.task_for(tagging.KINDS, task), rows, texts_at_once)

    def extract(self, question: str, passage: str, task: str | None = None) -> Extraction:
        """Return the part of a passage that answers a question, or no answer. A long passage is read in windows."""
        return next(self.extract_all([(question, passage)], task, questions_at_once=1))

    def extract_all(
        self, pairs: Iterable[tuple[str, str]], task: str | None = None, questions_at_once: int = extracting.QUESTIONS_AT_ONCE
    ) -> Iterator[Extraction]:
        """Yield the answer of `extract` for each question and passage."""
        rows = (Input(row.pair or "", pair=row.text) for row in map(_row, _listed(pairs)))
        return extracting.extract(self.task_for(extracting.KINDS, task), rows, questions_at_once)

    def rerank(
        self, query: str, passages: Iterable[str], task: str | None = None, *, label: str | None = None, top_k: int | None = None
    ) -> list[Ranked]:
        """Return passages by how well they fit a query, the best first.

        If there is a task that reads pairs, it scores each passage: by its number or, for a classifier, by the probability of `label` (by
        default the second of two labels). Otherwise the score is the similarity of the sentence embeddings.
        """
        if top_k is not None:
            check_whole("top_k", top_k, 1)
        listed = list(several(passages))
        if task is None and not self._reads_pairs():
            return ranking.order(self.embed(listed) @ self.embed([query])[0], listed, top_k)
        model = self.task_for(ranking.KINDS, task or self._only_pairs())
        return ranking.order(np.array(list(ranking.fits(model, single(query), listed, label))), listed, top_k)

    def _reads_pairs(self) -> list[str]:
        """Return the names of the tasks that can order passages."""
        found = {name: directories.read_task(self.root / name) for name in self.tasks}
        return [name for name, task in found.items() if task.pair and task.kind in ranking.KINDS]

    def _only_pairs(self) -> str:
        found = self._reads_pairs()
        if len(found) > 1:
            raise CompactLMError(f"several tasks read pairs: {', '.join(found)}; choose one (--task)")
        return found[0]
