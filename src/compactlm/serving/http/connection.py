"""An HTTP/1.1 connection with limits for the head of a request. uvicorn has no such limits with httptools."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from compactlm.serving.http.problems import Problem, problem_response

MOST_HEAD = 65_536  # bytes of the request line and the headers
HEAD_SECONDS = 30.0  # a client that sends its head more slowly, or none, keeps a connection for too long
MOST_DISCARDED = 64_000_000  # bytes of a body that are read after its answer, so that the client can read the answer
CLOSING_SECONDS = 5.0  # a connection that waits for the client's end, so that the client can read the answer, is closed after this


class Connection(HttpToolsProtocol):
    """Closes a connection if the head of a request does not arrive in time, and answers 431 if the head is too large.

    The system resets a connection that is closed with unread data, and the client may then lose the answer. If an answer is sent before the
    request has ended, only the server's side is therefore closed. Data that still arrives is discarded for a while.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take the arguments that uvicorn passes to its protocols."""
        super().__init__(*arguments, **options)
        self._in_head, self._in_body, self._ending = False, False, False
        self._head_ended = False  # in the data that are being read
        self._count = 0  # bytes of the head so far, or of what was discarded
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def data_received(self, data: bytes) -> None:
        """Read data. Count the bytes of an incomplete head, and of a body that is already answered."""
        if self._ending:
            self._discard(data)
            return
        in_body, self._head_ended = self._in_body, False
        super().data_received(data)
        if self._ending or self.transport.is_closing():
            return
        # Blank lines between requests, which begin no head, end the timer of uvicorn for idle connections, too.
        if self._in_head or (not self._is_busy() and self.timeout_keep_alive_task is None):
            if self._timer is None:
                self._timer = self.loop.call_later(HEAD_SECONDS, self._give_up)
            if self._in_body:
                self._discard(data)
            elif not in_body and not self._head_ended:  # other data also hold the end of a request
                self._count += len(data)
                self._check_head(self._count)
        elif self._timer is not None:
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection if it has no request, or if it only waits for the client to close its side."""
        if self._ending:
            self.transport.close()
        else:
            super().shutdown()

    def on_message_begin(self) -> None:
        """Start to read a head."""
        self._in_head, self._count = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End a head and start to read a body, which may be empty."""
        self._in_head, self._in_body, self._head_ended, self._count = False, True, True, 0
        lines = sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers)
        self._check_head(len(self.parser.get_method()) + len(self.url) + len("  HTTP/1.1\r\n\r\n") + lines)
        if not self._ending:
            super().on_headers_complete()
            self.cycle.transport = _Closing(self)  # type: ignore[assignment] # what a cycle uses of a transport

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on."""
        if not self._ending:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a body."""
        self._in_body, self._count = False, 0
        if not self._ending:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the next request, unless the connection is about to be closed."""
        if self._ending:
            self.server_state.total_requests += 1
        else:
            super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn has one message
        """Answer a request that cannot be parsed."""
        self._refuse(400, "the request is not valid HTTP/1.1; send it with an HTTP client")

    def end(self) -> None:
        """Close the connection after the last answer. If the request has not ended, wait until the client closes its side, too."""
        if not self._in_body or self._ending or not self.transport.can_write_eof():
            self.transport.close()
        else:
            self._end_side()

    def _end_side(self) -> None:
        self._ending, self._count = True, 0
        self.transport.write_eof()
        self.flow.resume_reading()
        self._stop_timer()
        self._timer = self.loop.call_later(CLOSING_SECONDS, self.transport.close)

    def _discard(self, data: bytes) -> None:
        self._count += len(data)
        if self._count > MOST_DISCARDED:
            self.transport.close()

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

    def _check_head(self, size: int) -> None:
        if size > MOST_HEAD:
            self._refuse(431, f"the request line and the headers are larger than {MOST_HEAD:,} bytes; send shorter ones")

    def _refuse(self, status: int, sentence: str) -> None:
        if self._ending:
            return
        response = problem_response(Problem(status, sentence, {"Connection": "close"}), "")
        head = [b"HTTP/1.1 %d \r\n" % status, *(b"%s: %s\r\n" % pair for pair in response.raw_headers), b"\r\n"]
        self.transport.write(b"".join([*head, bytes(response.body)]))
        self._end_side()


class _Closing:
    """The transport of an answer. Closing it ends the connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.write, self.is_closing, self.close = connection.transport.write, connection.transport.is_closing, connection.end
