"""Call POST routes with a JSON body without FastAPI's layers, which take longer than the model does for a short text.

FastAPI still describes these routes in the OpenAPI document. It answers all other requests: those with another method, and those for routes
with parameters in the path.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope

from compactlm.serving.http.problems import Problem, validation_sentence

JSON = b"application/json"
Call = Callable[[Scope, Receive], Awaitable[Response]]


def direct_calls(routers: Iterable[APIRouter]) -> dict[str, Call]:
    """Return a function for each POST route whose only parameter is `body`, a pydantic model, by path."""
    calls = {}
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, APIRoute) and route.methods == {"POST"} and "{" not in route.path:
            kind = typing.get_type_hints(route.endpoint)["body"]
            calls[route.path] = _call(route.endpoint, kind)
    return calls


def _call(endpoint: Callable[..., Awaitable[Response]], kind: type[BaseModel]) -> Call:
    async def call(scope: Scope, receive: Receive) -> Response:
        content = _parse(scope, await _read(receive))
        try:
            body = kind.model_validate(content)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False, include_input=False)
            found = [{**one, "loc": ("body", *one["loc"])} for one in errors]
            raise Problem(422, validation_sentence(found)) from None
        return await endpoint(body)

    return call


class JsonRoute(APIRoute):
    """A route of FastAPI that reads JSON in the same way as a direct call."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler, called with a request that reads JSON in this way."""
        handle = super().get_route_handler()

        async def call(request: Request) -> Response:
            return await handle(_JsonRequest(request.scope, request.receive))

        return call


class _JsonRequest(Request):
    async def json(self) -> Any:
        return parse_json(await self.body())


async def _read(receive: Receive) -> bytes:
    """Return the body of a request."""
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(422, "the connection was closed before the whole body had arrived; send the request again")
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _parse(scope: Scope, body: bytes) -> Any:
    """Return the content of a JSON body. A body of another type is returned unchanged."""
    kind = header(scope, b"content-type")
    if kind != JSON:
        kind = kind.partition(b";")[0].strip().lower()
        if not (kind == JSON or (kind.startswith(b"application/") and kind.endswith(b"+json"))):
            return body
    return parse_json(body) if body else body


def parse_json(body: bytes) -> Any:
    """Return the content of a JSON body.

    Raises:
        Problem: the body is not valid JSON, or its bytes are not valid text.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # The standard library also reads escapes of lone surrogates, NaN, and UTF-16 and UTF-32. Of bytes it would also read surrogates.
    try:
        return json.loads(body.decode(json.detect_encoding(body)))
    except (ValueError, RecursionError):
        raise Problem(422, "the body is not valid JSON; send a JSON object in UTF-8") from None


def header(scope: Scope, wanted: bytes) -> bytes:
    """Return the first value of a header, or b""."""
    for name, value in scope["headers"]:
        if name == wanted:
            found: bytes = value
            return found
    return b""
