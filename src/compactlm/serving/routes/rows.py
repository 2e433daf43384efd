"""Tokenize the rows of a request for a task, and run them through the queue."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from compactlm.bert.arrays import Array
from compactlm.inference.runtime.model import Model
from compactlm.inference.tasks.classifying import classifications
from compactlm.inference.tasks.encoding import encoder_of, paired, single
from compactlm.inference.tasks.extracting import extractions
from compactlm.inference.tasks.scoring import scores
from compactlm.inference.tasks.streaming import Encoded, run
from compactlm.inference.tasks.tagging import as_row, taggings
from compactlm.serving.http.problems import Problem
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service, Texts, refuse_cut
from compactlm.tasks.base import Input

ROUTES = {"classification": "/predict", "multilabel": "/predict", "regression": "/predict", "tagging": "/tag", "span": "/extract"}
FINISH: dict[str, Callable[..., Any]] = {
    "classification": classifications,
    "multilabel": classifications,
    "regression": scores,
    "tagging": taggings,
    "span": extractions,
}


class Answered(NamedTuple):
    """The queue's answer to a row.

    Attributes:
        outputs: the model's outputs for each sequence of the row, float32 [outputs] or [tokens, outputs].
        answer: the answer of the task's kind, such as a Classification.
    """

    outputs: list[Array]
    answer: Any


def lanes_of(model: ServedModel, kinds: Sequence[str]) -> Mapping[str, Lane]:
    """Return a lane for each task of these kinds. Its payloads are Encoded rows, and its answers are Answered."""
    tasks = {name: task for name, task in model.tasks.items() if task.directory.task.kind in kinds}
    return {lane(model, name): Lane(functools.partial(_answer, task), _probe(task)) for name, task in tasks.items()}


def _answer(model: Model, encoded: Sequence[Encoded]) -> list[Answered]:
    """Return the answers to a batch. They are computed in the thread of the batch, to relieve the event loop."""
    found = run(model, encoded)
    return list(map(Answered, found, FINISH[model.directory.task.kind](model, encoded, found)))


def lane(model: ServedModel, task: str) -> str:
    """Return the name of a task's lane, which begins with its route."""
    return f"{ROUTES[model.tasks[task].directory.task.kind]} {task}"


def _probe(model: Model) -> Encoded:
    task = model.directory.task
    row = as_row("good") if task.kind == "tagging" else Input("good", pair="good" if task.pair or task.kind == "span" else None)
    return encoder_of(model, 1)([row])[0]


def find_task(service: Service, kinds: Sequence[str], name: str | None) -> tuple[str, Model]:
    """Return the name and the model of a task of these kinds. If no name is given, return the first.

    Raises:
        Problem: there is no such task.
    """
    tasks = {one: model for one, model in service.model.tasks.items() if model.directory.task.kind in kinds}
    if name is None:
        name = next(iter(tasks), "")
    if name not in tasks:
        raise Problem(404, f"the model has no such task for this route; the tasks for it are: {', '.join(tasks) or 'none'}")
    return name, tasks[name]


async def encode(service: Service, model: Model, rows: Sequence[Input], truncate: bool | None) -> tuple[list[Encoded], Texts]:
    """Encode rows of a kind with outputs for whole texts. Return the sequences, and the tokenized texts of the request.

    Raises:
        Problem: a row has two texts but the task reads one, or the other way round; see also Service.tokenize.
    """
    pair = model.directory.task.pair
    for position, row in enumerate(rows):
        if (row.pair is not None) != pair:
            how = "the task reads pairs; send [text, second text]" if pair else "the task reads single texts; send one text"
            raise Problem(422, f"input {position} has {1 if pair else 2} texts, but {how}")
    if not pair:
        texts = await service.tokenize(model, [row.text for row in rows], model.tokenizer.limit, truncate)
        return [single(model.tokenizer, row, ids) for row, ids in zip(rows, texts.ids, strict=True)], texts
    flat = [text for row in rows for text in (row.text, row.pair or "")]
    texts = await service.tokenize(model, flat, None, truncate, texts_an_input=2)
    both = zip(rows, texts.ids[::2], texts.ids[1::2], strict=True)
    encoded = [paired(model.tokenizer, row, first, second) for row, first, second in both]
    shortened = {position // 2 for position in texts.cut}
    cut = [position for position, one in enumerate(encoded) if one.cut or position in shortened]
    refuse_cut(cut, truncate)
    return encoded, Texts(texts.texts, texts.ids, cut)


async def answers(service: Service, name: str, encoded: Sequence[Encoded], route: str) -> list[Answered]:
    """Return a task's answers to rows. In the queue, a row counts with the tokens of its sequences."""
    tokens = [sum(len(example.input_ids) for example in one.examples) for one in encoded]
    return await service.run(lane(service.model, name), encoded, tokens, route)
