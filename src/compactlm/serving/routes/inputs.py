"""Parts of requests and answers that several routes share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm.serving.service import Service, Texts

Inputs = Annotated[str | list[str], Field(description="A text, or a list of texts.", examples=["A film to remember."])]


class TextRequest(BaseModel):
    """The options that text-embeddings-inference has in every request with texts."""

    truncate: bool | None = Field(None, description="false refuses a text that is longer than the model accepts.")
    truncation_direction: Literal["Right", "right"] = Field("Right", description="Texts are truncated at their end.")
    prompt_name: None = Field(None, description="The model has no prompts.")


def as_list(inputs: str | list[str]) -> list[str]:
    """Return the texts of a request."""
    return [inputs] if isinstance(inputs, str) else inputs


def like_inputs(service: Service, inputs: object, answers: list[Any], texts: Texts) -> Response:
    """Return a list of answers for a list of texts, and a single answer for a single text."""
    return service.answer(answers[0] if isinstance(inputs, str) else answers, texts)
