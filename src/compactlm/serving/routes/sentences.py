"""/embed, /similarity and /rerank: vectors of texts, their similarities, and rankings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.tasks import ranking
from compactlm.serving.http.problems import RESPONSES, Problem
from compactlm.serving.routes.inputs import Inputs, TextRequest, as_list
from compactlm.serving.routes.rows import answers, encode
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service, Texts
from compactlm.tasks.base import Input
from compactlm.text.unicode import encodable

LANE = "/embed"


class EmbedRequest(TextRequest):
    """Texts to embed."""

    inputs: Inputs
    normalize: bool = Field(True, description="The vectors always have length 1; false is refused.")


class SimilarityInput(BaseModel):
    """A text, and the texts with which it is compared."""

    source_sentence: str = Field(examples=["good"])
    sentences: list[str] = Field(examples=[["nice", "table"]])


class SimilarityRequest(BaseModel):
    """Texts to compare."""

    inputs: SimilarityInput
    parameters: TextRequest | None = None


class RerankRequest(TextRequest):
    """A query and the texts to sort."""

    query: str = Field(examples=["how many legs has a spider?"])
    texts: list[str] = Field(examples=[["Spiders have eight legs.", "The sky is blue."]])
    raw_scores: bool = Field(False, description="Without effect: scores are those of `compactlm rerank`.")
    task: str | None = Field(None, description="A task that reads pairs; by default the first one, or else the sentence embedding.")
    label: str | None = Field(None, description="The label whose probability is the score; by default the second of two.")
    return_text: bool = Field(False, description="Whether each result has its text.")


class Rank(BaseModel):
    """The position of a text in the request, and its similarity with the query."""

    index: int
    score: float
    text: str | None = None


def lanes(model: ServedModel) -> Mapping[str, Lane]:
    """Return the lane of the sentence embedding, if there is one."""
    return {LANE: Lane(model.embedding.embed, "good")} if model.embedding else {}


def embedding_of(service: Service) -> SentenceEmbedding:
    """Return the sentence embedding.

    Raises:
        Problem: the model has none.
    """
    if service.model.embedding is None:
        raise Problem(404, "the model has no sentence embedding; /info lists what it has")
    return service.model.embedding


async def vectors(service: Service, texts: list[str], route: str, truncate: bool | None = None) -> tuple[Array, Texts]:
    """Return the unit vectors of texts, float32 [texts, width], and the tokenized texts."""
    found = await service.tokenize(embedding_of(service).model, texts, truncate=truncate)
    return np.stack(await service.run(LANE, found.texts, found.tokens, route)), found


def router(service: Service) -> APIRouter:
    """Return the routes of the sentence embedding."""
    routes = APIRouter(tags=["sentence embedding"], responses=RESPONSES)

    @routes.post("/embed", response_model=list[list[float]])
    async def embed(body: EmbedRequest) -> Response:
        """Return a vector of length 1 for each text; a single text, too, gives a list of one vector."""
        if not body.normalize:
            raise Problem(422, "normalize is false, but the vectors of this model always have length 1; leave normalize out")
        found, texts = await vectors(service, as_list(body.inputs), "/embed", body.truncate)
        return service.answer(found, texts)

    @routes.post("/similarity", response_model=list[float])
    async def similarity(body: SimilarityRequest) -> Response:
        """Return the cosine similarity of a text with each of the others."""
        pair = body.inputs
        _check_any(pair.sentences, "sentences")
        truncate = body.parameters.truncate if body.parameters else None
        found, texts = await vectors(service, [pair.source_sentence, *pair.sentences], "/similarity", truncate)
        return service.answer(_cosines(found), texts)

    @routes.post("/rerank", response_model=list[Rank])
    async def rerank(body: RerankRequest) -> Response:
        """Return the texts by how well they fit the query, the best first.

        The score is the number or the probability that a task that reads pairs gives; without such a task, the cosine similarity.
        """
        _check_any(body.texts, "texts")
        task = ranking_task(service, body.task)
        if task is None:
            found, texts = await vectors(service, [body.query, *body.texts], "/rerank", body.truncate)
            scores = _cosines(found).tolist()
        else:
            scores, texts = await pair_scores(service, task, body)
        order = np.argsort(-np.asarray(scores), kind="stable").tolist()
        ranks = [
            {"index": index, "score": scores[index], **({"text": encodable(body.texts[index])} if body.return_text else {})}
            for index in order
        ]
        return service.answer(ranks, texts)

    return routes


def ranking_task(service: Service, name: str | None) -> str | None:
    """Return the name of the task that ranks texts, or None for the sentence embedding.

    Raises:
        Problem: the named task does not read pairs.
    """
    known = [one for one, model in service.model.tasks.items() if model.directory.task.pair and model.directory.task.kind in ranking.KINDS]
    if name is not None and name not in known:
        raise Problem(404, f"the model has no such task that reads pairs; those are: {', '.join(known) or 'none'}")
    return name or next(iter(known), None)


async def pair_scores(service: Service, task: str, body: RerankRequest) -> tuple[list[float], Texts]:
    """Return a task's score of each text of a request together with the query.

    Raises:
        Problem: the task has no such label; see also rows.encode.
    """
    model = service.model.tasks[task]
    try:
        label = ranking.label_of(model, body.label)
    except CompactLMError as error:
        raise Problem(422, str(error)) from None
    encoded, texts = await encode(service, model, [Input(body.query, pair=text) for text in body.texts], body.truncate)
    found = await answers(service, task, encoded, "/rerank")
    return [one.answer.score if label is None else one.answer.probabilities[label] for one in found], texts


def _check_any(texts: list[str], name: str) -> None:
    if not texts:
        raise Problem(422, f"{name} is empty; send at least one text")


def _cosines(found: Array) -> Array:
    """Return the cosine similarity of the first vector with each other vector, -1 to 1."""
    cosines: Array = np.clip(found[1:] @ found[0], -1, 1)
    return cosines
