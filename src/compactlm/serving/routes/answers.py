"""/answer: the best answer of a file to a question."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm.inference.search.knowledge import Answer
from compactlm.serving.http.problems import RESPONSES, Problem
from compactlm.serving.routes.sentences import embedding_of
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service


class AnswerRequest(BaseModel):
    """A question."""

    question: str = Field(examples=["how many legs has a spider?"])
    threshold: float | None = Field(None, ge=-1, le=1, description="The lowest score of an answer; by default that of `compactlm answer`.")


class AnswerResponse(BaseModel):
    """The best answer of the server's file."""

    text: str | None = Field(description="The answer; null if no score reaches the threshold.")
    score: float = Field(description="The score of the question and the match, -1 to 1.")
    source: str | None = Field(description="The matching question of the file.")
    line: int | None = Field(description="The line of the answer in the file, from 1.")
    threshold: float = Field(description="The lowest score of an answer.")
    cut: bool = Field(description="Whether the question was truncated.")


def lanes(model: ServedModel) -> Mapping[str, Lane]:
    """Return the lane of answers, if the server has a file of answers."""
    return {"/answer": Lane(functools.partial(_answer, model), ("good", None))} if model.settings.knowledge is not None else {}


def _answer(model: ServedModel, payloads: Sequence[tuple[str, float | None]]) -> list[Answer]:
    knowledge = model.knowledge
    assert knowledge is not None  # noqa: S101 - loaded before the first request
    return [knowledge.answer(question, threshold) for question, threshold in payloads]


def router(service: Service) -> APIRouter:
    """Return /answer."""
    routes = APIRouter(tags=["answers"])

    @routes.post("/answer", response_model=AnswerResponse, responses=RESPONSES)
    async def answer(body: AnswerRequest) -> Response:
        """Return the best answer of the server's file to a question. Answers are found, not written."""
        if service.model.settings.knowledge is None:
            raise Problem(404, "the server has no file of answers; start it with --knowledge FILE")
        texts = await service.tokenize(embedding_of(service).model, [body.question])
        [found] = await service.run("/answer", [(texts.texts[0], body.threshold)], texts.tokens, "/answer")
        content = {"text": found.text, "score": found.score, "source": found.source, "line": found.line, "threshold": found.threshold}
        return service.answer({**content, "cut": bool(texts.cut)}, texts)

    return routes
