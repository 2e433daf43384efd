"""/tag and /extract: the tags of words, and answers in passages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm.inference.tasks import extracting, tagging
from compactlm.inference.tasks.encoding import encoder_of
from compactlm.serving.http.problems import RESPONSES
from compactlm.serving.routes.inputs import Inputs, as_list, like_inputs
from compactlm.serving.routes.rows import answers, find_task, lanes_of
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service
from compactlm.tasks.base import Input

KINDS = (*tagging.KINDS, *extracting.KINDS)


class TagRequest(BaseModel):
    """Texts to tag."""

    inputs: Inputs = Field(examples=["Kim lives in New York."])
    task: str | None = Field(None, description="The task; by default the first one that tags words.")


class TaggedWord(BaseModel):
    """A word, its place in the text in characters, its tag, and the probability of the tag."""

    word: str
    start: int
    end: int
    tag: str
    score: float


class TaggedEntity(BaseModel):
    """An entity, its place in the text in characters, its label, and the mean probability of its tags."""

    entity_group: str
    word: str
    start: int
    end: int
    score: float


class TaggedText(BaseModel):
    """The tags of a text."""

    words: list[TaggedWord]
    entities: list[TaggedEntity] | None = Field(description="null for tags that mark no entities, such as parts of speech.")


class Question(BaseModel):
    """A question and the passage to answer it from."""

    question: str = Field(examples=["Who lives in New York?"])
    context: str = Field(examples=["Kim lives in New York."])


class ExtractRequest(BaseModel):
    """Questions with passages."""

    inputs: Question | list[Question]
    task: str | None = Field(None, description="The task; by default the first one that finds answers.")


class ExtractedAnswer(BaseModel):
    """The answer to a question."""

    answer: str | None = Field(description="The part of the passage; null if it has no answer.")
    start: int | None = Field(description="The first character of the answer in the passage.")
    end: int | None = Field(description="The character after its last.")
    score: float = Field(description="The probability of the answer, or of no answer, 0 to 1.")


def lanes(model: ServedModel) -> Mapping[str, Lane]:
    """Return a lane for each task that tags words or finds answers."""
    return lanes_of(model, KINDS)


def router(service: Service) -> APIRouter:
    """Return /tag and /extract."""
    routes = APIRouter(tags=["words and answers"], responses=RESPONSES)

    @routes.post("/tag", response_model=TaggedText | list[TaggedText])
    async def tag(body: TagRequest) -> Response:
        """Return the words of each text with their tags, and the entities. A long text is read in windows."""
        name, model = find_task(service, tagging.KINDS, body.task)
        texts = await service.tokenize(model, as_list(body.inputs))
        encoded = await asyncio.to_thread(lambda: encoder_of(model, 1)([tagging.as_row(text) for text in texts.texts]))
        found = await answers(service, name, encoded, "/tag")
        return like_inputs(service, body.inputs, [_tagged(one.answer) for one in found], texts)

    @routes.post("/extract", response_model=ExtractedAnswer | list[ExtractedAnswer])
    async def extract(body: ExtractRequest) -> Response:
        """Return the part of each passage that answers its question. A long passage is read in windows."""
        name, model = find_task(service, extracting.KINDS, body.task)
        questions = body.inputs if isinstance(body.inputs, list) else [body.inputs]
        flat = [text for one in questions for text in (one.question, one.context)]
        texts = await service.tokenize(model, flat, texts_an_input=2)
        rows = [Input(passage, pair=question) for question, passage in zip(texts.texts[::2], texts.texts[1::2], strict=True)]
        encoded = await asyncio.to_thread(encoder_of(model, 1), rows)
        found = [
            {"answer": one.answer, "start": one.start, "end": one.end, "score": one.score}
            for _, one in await answers(service, name, encoded, "/extract")
        ]
        return service.answer(found if isinstance(body.inputs, list) else found[0], texts)

    return routes


def _tagged(found: tagging.Tagging) -> dict[str, Any]:
    words = [{"word": one.text, "start": one.start, "end": one.end, "tag": one.tag, "score": one.probability} for one in found.words]
    entities = [
        {"entity_group": one.label, "word": one.text, "start": one.start, "end": one.end, "score": one.probability}
        for one in found.entities or ()
    ]
    return {"words": words, "entities": None if found.entities is None else entities}
