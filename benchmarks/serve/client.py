"""A bounded HTTP client for load tests, in a process of its own: python -m benchmarks.serve.client JOB RESULT."""

import asyncio
import contextlib
import dataclasses
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from compactlm import artifacts

ANSWER_SECONDS = 60.0
RESET = "no answer"


@dataclasses.dataclass(frozen=True)
class Job:
    """One load.

    Attributes:
        port: the port on the loopback address.
        path: the route.
        bodies: the bodies of the requests, sent in turn.
        connections: number of connections; each has at most one request in flight.
        seconds: the duration of the load.
        rate: requests per second, evenly spaced; 0 sends the next request as soon as the last one is answered.
        requests: the number of requests after which the load ends, too; 0 for no such number.
        threads: for the harness.
    """

    port: int
    path: str
    bodies: Sequence[str]
    connections: int
    seconds: float
    rate: float = 0.0
    requests: int = 0
    threads: int = 1


class Connection(asyncio.Protocol):
    """A connection of HTTP/1.1 that is kept alive."""

    def __init__(self) -> None:
        """Start without a request in flight."""
        self.received = bytearray()
        self.transport: Any = None
        self.waiting: asyncio.Future[str] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect an answer; it is complete when its body has the announced length."""
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.received[:end]).lower()
        start = head.find(b"content-length: ") + len("content-length: ")
        length = int(head[start:].split(b"\r\n", 1)[0])
        if len(self.received) >= end + 4 + length:
            self.received.clear()
            self.finish(head[9:12].decode())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature of asyncio
        """Report a request in flight as not answered."""
        self.transport = None
        self.finish(RESET)

    def finish(self, status: str) -> None:
        """Give the status to the sender."""
        if self.waiting and not self.waiting.done():
            self.waiting.set_result(status)

    async def send(self, request: bytes) -> str:
        """Send a request; return the status of its answer."""
        if self.transport is None:
            return RESET
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.waiting


async def connect(loop: asyncio.AbstractEventLoop, port: int) -> Connection | None:
    """Return a new connection; None if it is refused."""
    try:
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
    except OSError:
        await asyncio.sleep(0.01)
        return None
    return connection


def request_of(path: str, body: str) -> bytes:
    """Return a whole request."""
    content = body.encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def measure(job: Job) -> dict[str, object]:
    """Run a load; return the answers by status, and the latency of those with status 200 in milliseconds.

    With a rate, the latency counts from the time at which the request was due.
    """
    requests, loop = itertools.cycle([request_of(job.path, body) for body in job.bodies]), asyncio.get_running_loop()
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    begun = time.perf_counter()
    tickets = iter(range(job.requests or sys.maxsize))
    opened: list[Connection] = []

    async def talk() -> None:
        connection: Connection | None = None
        for ticket in tickets:
            due = begun + ticket / job.rate if job.rate else time.perf_counter()
            if due - begun >= job.seconds:
                break
            if due > time.perf_counter():
                await asyncio.sleep(due - time.perf_counter())
            if connection is None or connection.transport is None:
                connection = await connect(loop, job.port)
                opened.extend([connection] if connection else [])
            status = await connection.send(next(requests)) if connection else RESET
            statuses[status] += 1
            if status == "200":
                latencies.append(time.perf_counter() - due)
        if connection and connection.transport:
            connection.transport.close()

    def give_up() -> None:
        for connection in opened:
            connection.finish(RESET)

    # One timer for all requests: a timer for each would take a tenth of the client's time.
    loop.call_later(job.seconds + ANSWER_SECONDS, give_up)
    await asyncio.gather(*(talk() for _ in range(job.connections)))
    spent = time.perf_counter() - begun
    p50, p99 = np.percentile(np.array(latencies or [0.0]) * 1000, [50, 99])
    return {"statuses": dict(statuses), "seconds": spent, "a_second": statuses["200"] / spent, "p50_ms": float(p50), "p99_ms": float(p99)}


def main() -> None:
    """Run the job in the first argument, and write its result to the path in the second."""
    job = Job(**json.loads(sys.argv[1]))
    with contextlib.suppress(KeyboardInterrupt):
        artifacts.write_json(Path(sys.argv[2]), uvloop.run(measure(job)))


if __name__ == "__main__":
    main()
