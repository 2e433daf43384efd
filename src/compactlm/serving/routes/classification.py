"""/predict: the labels of a text, for each task of the model."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm.bert.arrays import Array
from compactlm.inference.classifying import Classification, classifications
from compactlm.inference.runtime.model import Model
from compactlm.serving.problems import RESPONSES, Problem
from compactlm.serving.routes.inputs import TextRequest
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service

Batch = list[str | Annotated[list[str], Field(min_length=1, max_length=1)]]


class PredictRequest(TextRequest):
    """Texts to classify."""

    inputs: Annotated[
        str | Batch, Field(description="A text, or a list of texts; each may be in a list of its own.", examples=["A film to remember."])
    ]
    task: str | None = Field(None, description="The task; by default the first one of /info.")
    raw_scores: bool = Field(False, description="Whether the scores are logits instead of probabilities.")


class Prediction(BaseModel):
    """A label and its score."""

    label: str
    score: float


def lanes(model: ServedModel) -> Mapping[str, Lane]:
    """Return a lane for each task."""
    return {f"/predict {name}": Lane(functools.partial(_logits, task), _probe(task)) for name, task in model.tasks.items()}


def _probe(model: Model) -> list[int]:
    return [model.tokenizer.cls, model.tokenizer.unknown, model.tokenizer.sep]


def _logits(model: Model, sequences: Sequence[Sequence[int]]) -> Array:
    """Return the logits of a batch of sequences that fit the model, float32 [sequences, labels]."""
    return model.runner.task_logits(model.batch(sequences))


def router(service: Service) -> APIRouter:
    """Return /predict and /predict/{task}."""
    routes, tasks = APIRouter(tags=["classification"]), service.model.tasks

    async def answer(body: PredictRequest, name: str) -> Response:
        if name not in tasks:
            raise Problem(404, f"the model has no such task; its tasks are: {', '.join(tasks) or 'none'}")
        model, batch = tasks[name], [body.inputs] if isinstance(body.inputs, str) else body.inputs
        texts = await service.tokenize(
            model, [one if isinstance(one, str) else one[0] for one in batch], model.tokenizer.limit, body.truncate
        )
        sequences = [model.tokenizer.cut(ids) for ids in texts.ids]
        logits = np.stack(await service.run(f"/predict {name}", sequences, [len(ids) for ids in sequences], "/predict"))
        answers = list(classifications(model, texts.ids, logits))
        if service.capture is not None:
            service.capture.add(name, model.tokenizer, texts.texts, texts.ids, answers)
        if service.shadow is not None:
            service.shadow.compare(name, texts.texts, [one.label for one in answers])
        found = _raw(model, logits) if body.raw_scores else _ranked(answers)
        return service.answer(found[0] if isinstance(body.inputs, str) else found, texts)

    @routes.post("/predict", response_model=list[Prediction] | list[list[Prediction]], responses=RESPONSES)
    async def predict(body: PredictRequest) -> Response:
        """Return the labels of each text with their probabilities.

        The first label is the answer: with two labels and a decision threshold it can be the less likely one. The others follow
        by their probabilities.
        """
        return await answer(body, body.task or next(iter(tasks), ""))

    @routes.post("/predict/{task}", response_model=list[Prediction] | list[list[Prediction]], responses=RESPONSES)
    async def predict_task(task: str, body: PredictRequest) -> Response:
        """Return the labels of each text for the task in the path; see /predict."""
        return await answer(body, task)

    return routes


def _ranked(answers: Sequence[Classification]) -> list[list[dict[str, Any]]]:
    """Return the labels and probabilities of each text, the answer first."""
    found = []
    for answer in answers:
        others = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])
        ranked = [(answer.label, answer.probability), *(pair for pair in others if pair[0] != answer.label)]
        found.append([{"label": label, "score": score} for label, score in ranked])
    return found


def _raw(model: Model, logits: Array) -> list[list[dict[str, Any]]]:
    """Return the labels and logits of each text, the largest first."""
    labels = model.directory.labels
    return [[{"label": labels[best], "score": float(row[best])} for best in np.argsort(-row, kind="stable")] for row in logits]
