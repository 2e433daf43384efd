"""/v1/embeddings and /v1/models: the sentence embedding in the format of OpenAI's API."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm.serving.http.problems import OPENAI_RESPONSES, Problem, json_response
from compactlm.serving.routes.inputs import Inputs, as_list
from compactlm.serving.routes.sentences import vectors
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service


class EmbeddingsRequest(BaseModel):
    """Texts to embed."""

    input: Inputs
    model: str | None = Field(None, description="The id of the model in /v1/models.")
    encoding_format: Literal["float", "base64"] = Field("float", description="base64: float32 numbers, little-endian.")
    dimensions: int | None = Field(None, description="The width of the vectors; other widths are refused.")
    user: str | None = Field(None, description="Without effect.")


class Embedding(BaseModel):
    """The vector of a text."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class Usage(BaseModel):
    """Number of tokens."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsResponse(BaseModel):
    """The vectors of the texts."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: Usage


class ModelResponse(BaseModel):
    """A model."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelsResponse(BaseModel):
    """The models."""

    object: Literal["list"]
    data: list[ModelResponse]


def lanes(model: ServedModel) -> Mapping[str, Lane]:
    """Return no lanes: the routes use the lane of /embed."""
    del model
    return {}


def router(service: Service) -> APIRouter:
    """Return the routes below /v1."""
    routes, name = APIRouter(prefix="/v1", tags=["OpenAI"]), service.settings.name
    about = {"id": name, "object": "model", "created": 0, "owned_by": "compactlm"}

    @routes.post("/embeddings", response_model=EmbeddingsResponse, responses=OPENAI_RESPONSES)
    async def embeddings(body: EmbeddingsRequest) -> Response:
        """Return a vector of length 1 for each text. Token ids are refused, because other tokenizers have other ids."""
        if body.model not in (None, name):
            raise Problem(404, f"there is no such model; the model is {name}")
        found, texts = await vectors(service, as_list(body.input), "/v1/embeddings")
        width = found.shape[1]
        if body.dimensions not in (None, width):
            raise Problem(422, f"dimensions is {body.dimensions}, but the vectors have {width} numbers; leave dimensions out")
        rows: list[Any] = list(found)
        if body.encoding_format == "base64":
            rows = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in found]
        tokens = sum(texts.tokens)
        data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return service.answer({"object": "list", "data": data, "model": name, "usage": usage}, texts)

    @routes.get("/models", response_model=ModelsResponse)
    async def models() -> Response:
        """Return the served model."""
        return json_response({"object": "list", "data": [about]})

    @routes.get("/models/{model}", response_model=ModelResponse, responses={404: OPENAI_RESPONSES[404]})
    async def one_model(model: str) -> Response:
        """Return the served model by its id."""
        if model != name:
            raise Problem(404, f"there is no such model; the model is {name}")
        return json_response(about)

    return routes
