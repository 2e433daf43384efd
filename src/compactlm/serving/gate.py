"""The handling of every request before and after its route: admission, limits, metrics and the log."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
import traceback
from collections.abc import Collection, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from compactlm.serving.http.direct import Call, header
from compactlm.serving.http.problems import Problem, problem_response
from compactlm.serving.service import Service

PROBES = frozenset({"/live", "/ready", "/health"})
OPEN = PROBES | {"/", "/docs", "/docs/page.css", "/docs/page.js", "/openapi.json"}  # they answer without a token and without a model
BODY_SECONDS = 30.0  # a client that sends its body more slowly holds a place for too long
log = logging.getLogger("compactlm.serving")


class Gate:
    """ASGI middleware around the application."""

    def __init__(self, app: ASGIApp, service: Service, routes: Collection[str], calls: Mapping[str, Call]) -> None:
        """Take the application, the service, the paths of all routes, and the routes that are called directly."""
        self.app, self.service, self.routes, self.calls = app, service, frozenset(routes), calls
        self.in_flight = 0
        service.metrics.in_flight.set_function(lambda: self.in_flight)
        token = service.settings.token
        self.token = token.strip().encode() if token is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, started, status, size = scope["path"], time.perf_counter(), 0, 0
        deadline = asyncio.get_running_loop().time() + BODY_SECONDS

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self.service.state == "draining":  # the client's next request goes to another copy
                    message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        async def receive_some() -> Message:
            nonlocal size
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                problem = Problem(408, f"the body did not arrive in {BODY_SECONDS:.0f} s; send it faster", {"Connection": "close"})
                raise problem from None
            size += len(message.get("body", b""))
            self._check_size(size, path)
            return message

        counted = path not in OPEN
        self.in_flight += counted
        try:
            self._admit(scope, path)
            call = self.calls.get(path) if scope["method"] == "POST" else None
            if call is None:
                await self.app(scope, receive_some, send_on)
            else:
                response = await call(scope, receive_some)
                await response(scope, receive, send_on)
        except Problem as problem:
            await problem_response(problem, path)(scope, receive, send_on)
        except asyncio.CancelledError:  # uvicorn cancels what is left at the end of a shutdown
            status = status or await _shut_down(path, scope, receive, send)
        except Exception as error:  # noqa: BLE001 - every failure is answered
            _log_failure(error)
            if status:
                return  # uvicorn closes the connection; it would log the exception's message
            await problem_response(Problem(500, "the server failed on this request; its log says where"), path)(scope, receive, send_on)
        finally:
            self.in_flight -= counted
            self._record(scope, path, status, time.perf_counter() - started)

    def _admit(self, scope: Scope, path: str) -> None:
        """Raise Problem if a request may not reach its route."""
        if path in OPEN:
            return
        if self.token is not None and not self._has_token(scope):
            self._reject(path, "token")
            raise Problem(401, "the token is missing or wrong; send Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})
        length = header(scope, b"content-length")
        self._check_size(int(length) if length.isdigit() else 0, path)
        if path == "/metrics":
            return
        if self.service.state == "starting":
            self._reject(path, "starting")
            raise Problem(503, "the model is being loaded; send the request again later", {"Retry-After": "1"})
        if self.in_flight > self.service.settings.max_requests:
            self._reject(path, "requests")
            wait = self.service.batcher.seconds_of_work()
            raise Problem(429, "the server handles as many requests as it may; send the request again later", {"Retry-After": str(wait)})

    def _has_token(self, scope: Scope) -> bool:
        scheme, _, found = header(scope, b"authorization").partition(b" ")
        return hmac.compare_digest(found.strip(), self.token or b"") and scheme.lower() == b"bearer"

    def _check_size(self, size: int, path: str) -> None:
        """Raise Problem if a body is too large."""
        most = self.service.settings.max_bytes
        if size > most:
            self._reject(path, "size")
            raise Problem(413, f"the body is larger than {most:,} bytes; send fewer or shorter texts", {"Connection": "close"})

    def _reject(self, path: str, reason: str) -> None:
        self.service.metrics.rejections.labels(self._known(path), reason).inc()

    def _known(self, path: str) -> str:
        """Return the path of a route. All other paths, which may contain anything, become "other"."""
        return path if path in self.routes else "other"

    def _record(self, scope: Scope, path: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or self._known(path)
        self.service.metrics.answered(route, status, seconds)
        if self.service.settings.log_requests and path not in PROBES:
            log.info("%s %s %d %.1f ms", scope["method"], route, status, 1000 * seconds)


async def _shut_down(path: str, scope: Scope, receive: Receive, send: Send) -> int:
    """Answer a request that is still running at the shutdown; return the status."""
    sentence = "the server shut down before the answer was ready; send the request again"
    await problem_response(Problem(503, sentence, {"Retry-After": "1", "Connection": "close"}), path)(scope, receive, send)
    return 503


def _log_failure(error: Exception) -> None:
    """Log where an unexpected exception was raised, without its message, which may contain a user's text."""
    frames = traceback.extract_tb(error.__traceback__)
    places = "; ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-6:])
    log.error("a request failed: %s at %s", type(error).__name__, places)
