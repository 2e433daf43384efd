"""Answers to requests that cannot be served: a status code and one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

import orjson
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

# The types of errors of text-embeddings-inference.
ErrorType = Literal["Validation", "Tokenizer", "Backend", "Overloaded", "Unhealthy"]
TYPES: dict[int, ErrorType] = {422: "Tokenizer", 424: "Backend", 429: "Overloaded", 500: "Backend", 503: "Unhealthy"}
OPENAI_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 500: "server_error", 503: "server_error"}


class ErrorResponse(BaseModel):
    """The answer to a request that cannot be served."""

    error: str = Field(description="One sentence: what is wrong, and how to fix it.")
    error_type: ErrorType


class OpenAIError(BaseModel):
    """The fields of an error that OpenAI's clients read."""

    message: str = Field(description="One sentence: what is wrong, and how to fix it.")
    type: str
    param: None
    code: str


class OpenAIErrorResponse(BaseModel):
    """The answer of a route below /v1 to a request that cannot be served."""

    error: OpenAIError


class Problem(HTTPException):
    """A request that cannot be served: the status code, and one sentence that never contains a user's text."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, sentence, dict(headers or {}))


def problem_response(problem: HTTPException, path: str) -> Response:
    """Return the answer, in the format that clients of this path expect."""
    return json_response(_content(problem.status_code, problem.detail, path), problem.status_code, problem.headers)


class JsonResponse(Response):
    """Content as JSON; NumPy arrays become lists."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Set the headers, with length and type of the body."""
        self.raw_headers = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        self.raw_headers += [(b"content-length", b"%d" % len(self.body)), (b"content-type", b"application/json")]


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return content as JSON."""
    return JsonResponse(content, status, headers)


def _content(status: int, sentence: str, path: str) -> dict[str, Any]:
    if path.startswith("/v1/"):
        kind = OPENAI_TYPES.get(status, "invalid_request_error")
        return {"error": {"message": sentence, "type": kind, "param": None, "code": HTTPStatus(status).phrase.lower().replace(" ", "_")}}
    return {"error": sentence, "error_type": TYPES.get(status, "Validation")}


def validation_sentence(errors: Sequence[Mapping[str, Any]]) -> str:
    """Return one sentence about the first error of pydantic, without the value that was sent."""
    first = errors[0]
    # Pydantic also names the member of a union, such as str or list[str].
    where = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or (part.isidentifier() and part != "str"))
    if first["type"] == "json_invalid":
        return "the body is not valid JSON; send a JSON object in UTF-8"
    if where == "body":
        return "the body is not a JSON object; send one, with the header Content-Type: application/json"
    return f"{where.removeprefix('body.')} is not valid ({first['msg']}); /docs describes the request"


DOCUMENTED = {
    404: "The model cannot do this.",
    413: "The body is too large, or there are too many inputs.",
    422: "The request or a text cannot be read.",
    424: "The model failed.",
    429: "The server is overloaded; see the header Retry-After.",
    503: "The server is starting or shutting down.",
}
Responses = dict[int | str, dict[str, Any]]
RESPONSES: Responses = {status: {"model": ErrorResponse, "description": text} for status, text in DOCUMENTED.items()}
OPENAI_RESPONSES: Responses = {status: {"model": OpenAIErrorResponse, "description": text} for status, text in DOCUMENTED.items()}
