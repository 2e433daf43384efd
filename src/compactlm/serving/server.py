"""Run the application on uvicorn: the socket, signals, the shutdown and the log."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from types import FrameType

import uvicorn

from compactlm.errors import CompactLMError
from compactlm.serving.app import create_app, create_service
from compactlm.serving.http.connection import Connection
from compactlm.serving.service import Service
from compactlm.serving.settings import TOKEN_VARIABLE, Settings

KEEP_ALIVE_SECONDS = 75  # longer than the idle time of usual load balancers, which then never write to a connection that was closed
LOOPBACK = ("127.", "::1", "localhost")
log = logging.getLogger("compactlm.serving")


class GracefulServer(uvicorn.Server):
    """A server that drains before it shuts down: after SIGTERM, /ready answers 503 while connections are still accepted."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        """Take the settings of uvicorn and the service."""
        super().__init__(config)
        self.service = service
        self.stop_at: float | None = None
        self.announced = False  # a handler of a signal may not log

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start to drain at the first SIGTERM. A second SIGTERM, or Ctrl-C, shuts the server down at once."""
        draining = self.service.state == "draining"
        self.service.state = "draining"
        if sig == signal.SIGTERM and not draining:
            self.stop_at = time.monotonic() + self.service.settings.drain_seconds
        elif sig == signal.SIGTERM:
            self.should_exit = True
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Return whether the server must shut down: after the drain, or because the model could not be loaded."""
        if self.stop_at is not None and not self.announced:
            self.announced = True
            log.info("draining for %g s", self.service.settings.drain_seconds)
        if self.service.failure is not None or (self.stop_at is not None and time.monotonic() >= self.stop_at):
            self.should_exit = True
        return await super().on_tick(counter)


def serve(settings: Settings) -> None:
    """Serve a model until SIGTERM or Ctrl-C.

    Raises:
        CompactLMError: there is no usable model, the address cannot be used, or the model cannot be loaded.
    """
    # Each batch runs on one thread; the tokenizers library would otherwise start a thread for each core of the host.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("compactlm").setLevel(logging.INFO)
    service = create_service(settings)
    app = create_app(service)
    with _listen(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        names = ", ".join(service.model.models)
        log.info("%s: %s in %s, %d threads", service.model.root, names, settings.backend, service.threads)
        log.info("http://%s:%d/docs describes the routes", address, port)
        if settings.token is None and not settings.host.startswith(LOOPBACK):
            log.warning("everybody who reaches this port can use the model; set %s to a token that clients must send", TOKEN_VARIABLE)
        config = uvicorn.Config(
            app,
            http=Connection,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            lifespan="on",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(settings.grace_seconds),
        )
        GracefulServer(config, service).run(sockets=[listener])
    if service.failure is not None:
        raise service.failure


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address.

    Raises:
        CompactLMError: the address cannot be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:  # the latter for a name that no host can have
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise CompactLMError(f"port {port} of {host} cannot be used ({reason}); pass another --port or --host") from None
    return listener
