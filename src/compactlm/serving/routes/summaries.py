"""/summarize: the central sentences of a text."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.summarizing import Sentence, summarize
from compactlm.serving.http.problems import RESPONSES
from compactlm.serving.routes.inputs import Inputs, as_list, like_inputs
from compactlm.serving.routes.sentences import embedding_of
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service


class SummarizeRequest(BaseModel):
    """Texts to summarize."""

    inputs: Inputs = Field(examples=["The film is long. The actors are good. The end is a surprise."])
    sentences: int = Field(3, ge=1, le=100, description="Number of sentences.")


class CentralSentence(BaseModel):
    """A sentence, its position in the text, from 0, and its centrality."""

    text: str
    position: int
    centrality: float


class Summary(BaseModel):
    """The central sentences of a text, in the order of the text."""

    sentences: list[CentralSentence]
    cut: bool = Field(description="Whether the text was truncated.")


def lanes(model: ServedModel) -> Mapping[str, Lane]:
    """Return the lane of summaries, if there is a sentence embedding."""
    return {"/summarize": Lane(functools.partial(_summarize, model.embedding), ("good", 1))} if model.embedding else {}


def _summarize(embedding: SentenceEmbedding, payloads: Sequence[tuple[str, int]]) -> list[list[Sentence]]:
    return [summarize(embedding, text, count) for text, count in payloads]


def router(service: Service) -> APIRouter:
    """Return /summarize."""
    routes = APIRouter(tags=["summaries"])

    @routes.post("/summarize", response_model=Summary | list[Summary], responses=RESPONSES)
    async def summarize_texts(body: SummarizeRequest) -> Response:
        """Return the central sentences of each text. They are chosen from the text, not written."""
        texts = await service.tokenize(embedding_of(service).model, as_list(body.inputs))
        found = await service.run("/summarize", [(text, body.sentences) for text in texts.texts], texts.tokens, "/summarize")
        answers = [
            {
                "sentences": [{"text": one.text, "position": one.position, "centrality": one.centrality} for one in sentences],
                "cut": position in texts.cut,
            }
            for position, sentences in enumerate(found)
        ]
        return like_inputs(service, body.inputs, answers, texts)

    return routes
