"""A connection of HTTP/1.1 with limits for the head of a request, which uvicorn does not have on httptools."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from compactlm.serving.http.problems import Problem, problem_response

MOST_HEAD = 65_536  # bytes of the request line and the headers
HEAD_SECONDS = 30.0  # a client that sends its head more slowly, or none, keeps a connection for too long


class Connection(HttpToolsProtocol):
    """Closes a connection on which a head does not arrive in time, and answers 431 to a head that is too large."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what uvicorn passes to its protocols."""
        super().__init__(*arguments, **options)
        self._begun, self._head = False, 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def data_received(self, data: bytes) -> None:
        """Read data; count the bytes of a head that is not complete."""
        self._head += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        # Blank lines between requests, which begin no head, end the timer of uvicorn for idle connections, too.
        if self._begun or (not self._is_busy() and self.timeout_keep_alive_task is None):
            if self._head > MOST_HEAD:
                self._refuse(431, f"the request line and the headers are larger than {MOST_HEAD:,} bytes; send shorter ones")
            elif self._timer is None:
                self._timer = self.loop.call_later(HEAD_SECONDS, self._give_up)
        elif self._timer is not None:
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End a head."""
        self._begun, self._head = False, 0
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn has one message
        """Answer a request that cannot be parsed."""
        self._refuse(400, "the request is not valid HTTP/1.1; send it with an HTTP client")

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _give_up(self) -> None:
        self._timer = None
        if self._is_busy():  # the next head can wait until the request before it is answered
            self._timer = self.loop.call_later(HEAD_SECONDS, self._give_up)
        elif not self.transport.is_closing():
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int, sentence: str) -> None:
        response = problem_response(Problem(status, sentence, {"Connection": "close"}), "")
        head = [b"HTTP/1.1 %d \r\n" % status, *(b"%s: %s\r\n" % pair for pair in response.raw_headers), b"\r\n"]
        self.transport.write(b"".join([*head, bytes(response.body)]))
        self.transport.close()
