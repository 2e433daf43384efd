"""The FastAPI application."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from compactlm import __version__
from compactlm.serving.gate import OPEN, Gate
from compactlm.serving.http.direct import direct_calls
from compactlm.serving.http.problems import Problem, problem_response, validation_sentence
from compactlm.serving.routes.registry import PARTS, all_lanes
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Service
from compactlm.serving.settings import Settings

PAGE = Path(__file__).parent / "page"
FILES = {"/docs": ("index.html", "text/html"), "/docs/page.css": ("page.css", "text/css"), "/docs/page.js": ("page.js", "text/javascript")}
# The page loads its own files and asks this server, and nothing else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}
DESCRIPTION = "A compact BERT. Every error has one sentence that says what is wrong and how to fix it."


class Application(FastAPI):
    """FastAPI with a gate around all of its layers. Routes that are called directly need only the gate.

    Attributes:
        gate: a function that returns the gate around an application.
    """

    gate: Callable[[ASGIApp], ASGIApp]

    def build_middleware_stack(self) -> ASGIApp:
        """Return the gate around the layers of FastAPI."""
        return self.gate(super().build_middleware_stack())


def create_service(settings: Settings) -> Service:
    """Find the models and return the service that the application needs.

    Raises:
        CompactLMError: there is no usable model.
    """
    model = ServedModel(settings)
    return Service(settings, model, all_lanes(model))


def create_app(service: Service) -> FastAPI:
    """Return the application. It loads the model when it starts. Until then, all routes except those of the state answer 503."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.close()

    app = Application(
        title="compactlm",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry=NO_TELEMETRY,  # type: ignore[arg-type] # the type lists providers, too
    )
    routers = [part.router(service) for part in PARTS]
    for router in routers:
        app.include_router(router)
    for path, (name, kind) in FILES.items():
        _add_file(app, path, name, kind)
    app.add_api_route("/", lambda: RedirectResponse("/docs"), include_in_schema=False)
    paths = list(_describe(app, service)["paths"])
    _add_handlers(app)
    app.gate = functools.partial(Gate, service=service, routes=[*paths, *OPEN], calls=direct_calls(routers))
    return app


def _add_file(app: FastAPI, path: str, name: str, kind: str) -> None:
    content = (PAGE / name).read_bytes()

    async def file() -> Response:
        return Response(content, media_type=kind, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})

    app.add_api_route(path, file, include_in_schema=False)


def _describe(app: FastAPI, service: Service) -> dict[str, Any]:
    """Return the OpenAPI document. It describes the bearer token, if there is one."""
    document = app.openapi()
    if service.settings.token is not None:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path, operations in document["paths"].items():
            for operation in operations.values() if path not in OPEN else ():
                operation["security"] = [{"token": []}]
    return document


def _add_handlers(app: FastAPI) -> None:
    sentences = {
        400: (422, "the body is not valid JSON; send a JSON object in UTF-8"),
        404: (404, "there is no such route; /docs lists all routes"),
        405: (405, "the route does not have this method; /docs lists all routes"),
    }

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
        if not isinstance(error, Problem):
            status, sentence = sentences.get(error.status_code, (error.status_code, str(error.detail)))
            error = Problem(status, sentence, error.headers)
        return problem_response(error, request.url.path)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
        return problem_response(Problem(422, validation_sentence(error.errors())), request.url.path)

    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
