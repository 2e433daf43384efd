"""/tokenize: the tokens of a text."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm.serving.http.problems import RESPONSES
from compactlm.serving.routes.inputs import Inputs, as_list
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service


class TokenizeRequest(BaseModel):
    """Texts to tokenize."""

    inputs: Inputs
    add_special_tokens: bool = Field(True, description="Whether the answer has [CLS] and [SEP].")


class Token(BaseModel):
    """A token, and its characters in the text."""

    id: int
    text: str
    special: bool
    start: int | None
    stop: int | None


def lanes(model: ServedModel) -> Mapping[str, Lane]:
    """Return no lanes: tokens need no model."""
    del model
    return {}


def router(service: Service) -> APIRouter:
    """Return /tokenize."""
    routes = APIRouter(tags=["tokens"], responses={status: RESPONSES[status] for status in (413, 422, 429, 503)})
    tokenizer = next(iter(service.model.models.values())).tokenizer

    @routes.post("/tokenize", response_model=list[list[Token]])
    async def tokenize(body: TokenizeRequest) -> Response:
        """Return the tokens of each text; a single text, too, gives a list of one list."""
        texts = await service.tokenize(next(iter(service.model.models.values())), as_list(body.inputs))
        encodings = tokenizer.library.encode_batch(texts.texts, add_special_tokens=body.add_special_tokens)
        found = [
            [
                {
                    "id": index,
                    "text": token,
                    "special": bool(special),
                    "start": None if special else start,
                    "stop": None if special else stop,
                }
                for index, token, special, (start, stop) in zip(one.ids, one.tokens, one.special_tokens_mask, one.offsets, strict=True)
            ]
            for one in encodings
        ]
        return service.answer(found, texts)

    return routes
