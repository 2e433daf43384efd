"""Copies of the server on a Ray cluster. Ray Serve starts, checks and balances them, and each has its own queue.

    RAY_USAGE_STATS_ENABLED=0 serve run compactlm.serving.ray_copies:application model=/models/export copies=4

It needs the extra `ray`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from ray import serve

from compactlm.errors import CompactLMError
from compactlm.serving.app import create_app, create_service
from compactlm.serving.settings import Settings


@serve.ingress()
class Copy:
    """One copy of the server."""

    def __init__(self, settings: Settings) -> None:
        """Find the models. If this fails, Ray moves the copy to another node."""
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self.service = create_service(settings)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the application; Ray calls this after the constructor."""
        return create_app(self.service)

    async def check_health(self) -> None:
        """Raise an exception if the model fails; Ray then replaces the copy."""
        if self.service.failure is not None or (self.service.state == "ready" and not await self.service.is_ready()):
            raise RuntimeError("the model does not answer")


def build(settings: Settings, copies: int = 1) -> Any:
    """Return the application for `ray.serve.run`.

    Args:
        settings: the settings of each copy. Ray determines host, port and the times of the shutdown.
        copies: number of copies, each on `settings.threads` cores (0 counts as 1).
    """
    cores = settings.threads or 1
    deployment = serve.deployment(
        Copy, name="compactlm", num_replicas=copies, max_ongoing_requests=settings.max_requests, ray_actor_options={"num_cpus": cores}
    )
    return deployment.bind(settings)


def application(arguments: Mapping[str, str]) -> Any:
    """Return the application for the command `serve run`.

    Args:
        arguments: `model`, a directory that every node can read, and optionally `copies`, `threads` and `backend`.

    Raises:
        CompactLMError: an argument is missing or unknown.
    """
    unknown = sorted(set(arguments) - {"model", "copies", "threads", "backend"})
    if unknown or "model" not in arguments:
        raise CompactLMError("pass model=DIRECTORY, and optionally copies=N, threads=N and backend=onnx or backend=int8, and nothing else")
    backend = arguments.get("backend", "onnx")
    if backend not in ("onnx", "int8"):
        raise CompactLMError(f"backend is {backend!r}; pass onnx or int8")
    model, threads, copies = Path(arguments["model"]), int(arguments.get("threads", "1")), int(arguments.get("copies", "1"))
    return build(Settings(model=model, backend=backend, threads=threads, token=os.environ.get("COMPACTLM_TOKEN")), copies)  # type: ignore[arg-type]
