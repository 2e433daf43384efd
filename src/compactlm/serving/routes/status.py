"""/live, /ready, /health, /info and /metrics: the state of the server."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm import __version__
from compactlm.serving.http.problems import RESPONSES, Problem, json_response
from compactlm.serving.metrics import CONTENT_TYPE
from compactlm.serving.routes import sentences
from compactlm.serving.routes.classification import KINDS
from compactlm.serving.service import Service
from compactlm.tasks import kind_of


class State(BaseModel):
    """The state of the server."""

    status: str


class Info(BaseModel):
    """A description of the served models. The first fields are those of text-embeddings-inference."""

    model_id: str
    model_dtype: str = Field(examples=["float32"])
    model_type: dict[str, Any] = Field(description="The classifier of the first task, or the embedding.")
    max_concurrent_requests: int
    max_input_length: int = Field(description="Tokens of a text; a longer text is truncated, or read in parts by /embed.")
    max_batch_tokens: int
    max_client_batch_size: int
    auto_truncate: bool
    tokenization_workers: int
    version: str
    max_input_characters: int
    threads: int
    models: list[str] = Field(description="The directories of the model.")
    tasks: dict[str, list[str]] = Field(description="The labels of each task; of a task that finds answers, none.")
    kinds: dict[str, str] = Field(description="The kind of each task: classification, multilabel, regression, tagging or span.")
    embedding_width: int | None


def router(service: Service) -> APIRouter:
    """Return the routes of the server's state."""
    routes = APIRouter(tags=["state"])
    unhealthy: dict[int | str, dict[str, Any]] = {503: RESPONSES[503]}

    @routes.get("/live", response_model=State)
    async def live() -> Response:
        """Answer as long as the process works; restart it if this fails."""
        return json_response({"status": "alive"})

    @routes.get("/ready", response_model=State, responses=unhealthy)
    async def ready() -> Response:
        """Run a small text through every model. Answers 503 while the server starts and after SIGTERM."""
        if not await service.is_ready():
            raise Problem(503, f"the server is {service.state if service.state != 'ready' else 'failing'}; send requests to another copy")
        return json_response({"status": "ready"})

    @routes.get("/health", response_model=State, responses=unhealthy)
    async def health() -> Response:
        """Return the same as /ready."""
        return await ready()

    @routes.get("/info", response_model=Info)
    async def info() -> Response:
        """Return what is served, and the limits of requests."""
        return json_response(_info(service))

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
    async def metrics() -> Response:
        """Return the metrics in the text format of Prometheus."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)

    return routes


def _info(service: Service) -> dict[str, Any]:
    settings, model = service.settings, service.model
    models = model.models
    first = next(iter(models.values()))
    kind: dict[str, Any] = {"embedding": {"pooling": "mean"}} if model.embedding else {}
    for task in [one for one in model.tasks.values() if one.directory.task.kind in KINDS][:1]:
        names = {str(index): label for index, label in enumerate(task.directory.labels)}
        kind = {"classifier": {"id2label": names, "label2id": {label: int(index) for index, label in names.items()}}}
    return {
        "model_id": settings.name,
        "model_dtype": {"onnx": "float32", "int8": "int8"}[settings.backend],
        "model_type": kind,
        "max_concurrent_requests": settings.max_requests,
        "max_input_length": first.directory.limit,
        "max_batch_tokens": settings.batch_tokens,
        "max_client_batch_size": settings.max_inputs,
        "auto_truncate": True,
        "tokenization_workers": 1,
        "version": __version__,
        "max_input_characters": settings.max_characters,
        "threads": service.threads,
        "models": list(models),
        "tasks": {name: kind_of(task.directory.task).names(task.directory.task) for name, task in model.tasks.items()},
        "kinds": {name: task.directory.task.kind for name, task in model.tasks.items()},
        "embedding_width": len(service.probed[sentences.LANE]) if model.embedding else None,
    }
