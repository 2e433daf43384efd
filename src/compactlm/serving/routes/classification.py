"""/predict: the labels or the number of a text or a pair of texts, for each task of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm.inference.runtime.model import Model
from compactlm.inference.tasks import classifying, scoring
from compactlm.inference.tasks.classifying import Classification, LabelSet, labels_texts
from compactlm.inference.tasks.scoring import Score
from compactlm.serving.http.direct import JsonRoute
from compactlm.serving.http.problems import RESPONSES
from compactlm.serving.routes.inputs import TextRequest
from compactlm.serving.routes.rows import Answered, answers, encode, find_task, lanes_of
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service, Texts
from compactlm.tasks.base import Input

KINDS = (*classifying.KINDS, *scoring.KINDS)
Batch = list[str | Annotated[list[str], Field(min_length=1, max_length=2)]]


class PredictRequest(TextRequest):
    """Texts or pairs of texts to classify or to score."""

    inputs: Annotated[
        str | Batch,
        Field(
            description="A text, or a list of texts; each may be in a list of its own. For a task that reads pairs, a list of two texts or "
            "a list of such lists.",
            examples=["A film to remember."],
        ),
    ]
    task: str | None = Field(None, description="The task; by default the first one of /info that labels or scores texts.")
    raw_scores: bool = Field(False, description="Whether the scores are logits instead of probabilities.")


class Prediction(BaseModel):
    """A label and its score."""

    label: str
    score: float


def lanes(model: ServedModel) -> Mapping[str, Lane]:
    """Return a lane for each task that labels or scores texts."""
    return lanes_of(model, KINDS)


def router(service: Service) -> APIRouter:
    """Return /predict and /predict/{task}."""
    routes = APIRouter(tags=["classification"], route_class=JsonRoute)

    async def answer(body: PredictRequest, task: str | None) -> Response:
        name, model = find_task(service, KINDS, task)
        rows, several = _rows(body.inputs, model.directory.task.pair)
        encoded, texts = await encode(service, model, rows, body.truncate)
        answered = await answers(service, name, encoded, "/predict")
        if labels_texts(model):
            _watch(service, name, model, texts, [one.answer for one in answered])
        found = _raw(model, answered) if body.raw_scores else [_ranked(model, one.answer) for one in answered]
        return service.answer(found if several else found[0], texts)

    @routes.post("/predict", response_model=list[Prediction] | list[list[Prediction]], responses=RESPONSES)
    async def predict(body: PredictRequest) -> Response:
        """Return the labels of each text or pair with their probabilities, the likeliest first.

        A task with any number of labels gives those with a probability of one half or more. A task that gives a number has one label.
        """
        return await answer(body, body.task)

    @routes.post("/predict/{task}", response_model=list[Prediction] | list[list[Prediction]], responses=RESPONSES)
    async def predict_task(task: str, body: PredictRequest) -> Response:
        """Return the labels of each text for the task in the path; see /predict."""
        return await answer(body, task)

    return routes


def _rows(inputs: str | Batch, pair: bool) -> tuple[list[Input], bool]:
    """Return the rows of a request, and whether it has a list of rows. For a task that reads pairs, two texts are one pair."""
    if isinstance(inputs, str):
        return [Input(inputs)], False
    if pair and len(inputs) == 2 and all(isinstance(one, str) for one in inputs):
        return [_row(inputs)], False
    return [_row([one] if isinstance(one, str) else one) for one in inputs], True


def _row(texts: Sequence[Any]) -> Input:
    return Input(texts[0], pair=texts[1] if len(texts) == 2 else None)


def _watch(service: Service, name: str, model: Model, texts: Texts, answers: Sequence[Classification]) -> None:
    """Capture the answers to a request, and compare them with a second model's answers, if the operator has enabled this."""
    if service.capture is not None:
        service.capture.add(name, model.tokenizer, texts.texts, texts.ids, answers)
    if service.shadow is not None:
        service.shadow.compare(name, texts.texts, [one.label for one in answers])


def _ranked(model: Model, answer: Classification | LabelSet | Score) -> list[dict[str, Any]]:
    """Return the labels of a text with probabilities, the likeliest first, or its number."""
    if isinstance(answer, Score):
        return [{"label": model.directory.labels[0], "score": answer.score}]
    return [{"label": label, "score": score} for label, score in sorted(answer.probabilities.items(), key=lambda pair: -pair[1])]


def _raw(model: Model, answered: Sequence[Answered]) -> list[list[dict[str, Any]]]:
    """Return the labels and logits of each text, the largest first."""
    labels = model.directory.labels
    rows = [one.outputs[0] for one in answered]
    return [[{"label": labels[best], "score": float(row[best])} for best in np.argsort(-row, kind="stable")] for row in rows]
