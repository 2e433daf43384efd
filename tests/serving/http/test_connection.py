"""Heads of requests that are too large, too slow, incomplete or not HTTP, over a socket."""

import asyncio
import contextlib
import json
import time

import pytest
import uvicorn

from compactlm.serving.http import connection
from compactlm.serving.http.connection import MOST_HEAD, Connection


async def answer_ok(scope, receive, send):
    """Answer when the body has arrived; some paths answer before."""
    if scope["path"] == "/refused":
        await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"2"), (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b"no"})
        return
    if scope["path"] == "/unread":
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"no"})
        return
    while (await receive())["more_body"]:
        pass
    await asyncio.sleep(0.3 if scope["path"] == "/slow" else 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def talk(*parts, pause=0.0, stay=False):
    """Send the parts of a request; return all that is received until the server closes the connection, or for a while if `stay`."""

    async def run():
        server = uvicorn.Server(uvicorn.Config(answer_ok, http=Connection, log_config=None, port=0, lifespan="off", timeout_keep_alive=30))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        with contextlib.suppress(ConnectionError):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
        received = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(0.6 if stay else 20):
                while data := await reader.read(2**16):
                    received += data
                assert not stay, "the server closed the connection"
        server.should_exit = True
        writer.close()
        await serving
        return received

    return asyncio.run(run())


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)


def test_requests_of_a_connection_are_answered():
    assert talk(GET, GET + GET, b"\r\n" + GET, stay=True).count(b"200 OK") == 4
    large = b"GET / HTTP/1.1\r\nx: " + b"a" * (MOST_HEAD // 2) + b"\r\n\r\n"
    assert talk(large, stay=True).count(b"200 OK") == 1
    body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"a" * 200_000
    assert talk(body, body[:100], body[100:], GET, pause=0.05, stay=True).count(b"200 OK") == 3


@pytest.mark.parametrize(
    "parts",
    [
        [b"GET / HTTP/1.1\r\nx: ", *[b"a" * 10_000] * 7],
        [b"GET /", *[b"a" * 10_000] * 7],
        [b"GET / HTTP/1.1\r\n", *[b"x: " + b"a" * 1000 + b"\r\n"] * 66],
        [GET, *[b"\r\n" * 5_000] * 7],
    ],
    ids=["header", "path", "headers", "blank lines"],
)
def test_a_head_that_is_too_large(parts):
    received = talk(*parts, pause=0.005)
    head, _, content = received.rpartition(b"\r\n\r\n")
    assert b"HTTP/1.1 431 " in head
    assert "larger than 65,536 bytes" in json.loads(content)["error"]


@pytest.mark.parametrize("parts", [[], [b"GET / HT"], [GET, b"GET / HT"], [b"\r\n"], [GET, b"\r\n"]])
def test_a_connection_without_a_whole_head_is_closed(parts, hurried):
    assert talk(*parts, pause=0.05).count(b"200 OK") == parts.count(GET)


def test_a_head_that_arrives_byte_by_byte_is_given_up(hurried):
    assert talk(*(bytes([byte]) for byte in GET), pause=0.02) == b""


def test_an_idle_connection_and_a_slow_answer_are_kept(hurried):
    assert talk(GET, b"", GET, pause=0.3, stay=True).count(b"200 OK") == 2
    slow = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
    assert talk(slow + b"GET / HT", b"TP/1.1\r\nHost: a\r\n\r\n", pause=0.25, stay=True).count(b"200 OK") == 2


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01\x02\x00\x01\x00\x01", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n"]
)
def test_what_is_not_http_is_one_sentence(data):
    head, _, content = talk(data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert "not valid HTTP" in json.loads(content)["error"]


SIZE = 5_000_000
BODIES = {
    "length": (b"Content-Length: %d\r\n\r\n" % SIZE, b"a" * SIZE),
    "chunks": (b"Transfer-Encoding: chunked\r\n\r\n", (b"10000\r\n" + b"a" * 2**16 + b"\r\n") * 70 + b"0\r\n\r\n"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_an_answer_before_the_end_of_the_body_reaches_the_client(kind):
    head, body = BODIES[kind]
    received = talk(b"POST /refused HTTP/1.1\r\nHost: a\r\n" + head, *(body[at : at + 2**16] for at in range(0, len(body), 2**16)), GET)
    assert received.startswith(b"HTTP/1.1 413 ")
    assert received.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("kind", BODIES)
def test_a_connection_is_kept_after_a_body_that_is_not_read(kind):
    head, body = BODIES[kind]
    received = talk(b"POST /unread HTTP/1.1\r\nHost: a\r\n" + head, body, GET[:9], GET[9:], pause=0.05, stay=True)
    assert (received.count(b"401 Unauthorized"), received.count(b"200 OK"), received.count(b"HTTP/1.1")) == (1, 1, 2)


@pytest.mark.parametrize("path", [b"/refused", b"/unread"])
def test_the_rest_of_a_body_is_not_read_for_ever(path, monkeypatch):
    monkeypatch.setattr(connection, "MOST_DISCARDED", 100_000)
    head, body = BODIES["length"]
    received = talk(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\n" + head, body[:50_000], body, pause=0.05)
    assert received.count(b"HTTP/1.1") <= 1  # the connection is reset


def test_a_client_that_does_not_close_is_left(monkeypatch):
    monkeypatch.setattr(connection, "CLOSING_SECONDS", 0.1)
    started = time.monotonic()
    assert talk(b"POST /refused HTTP/1.1\r\nHost: a\r\n" + BODIES["length"][0]).startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(("more", "status"), [(0, b"200"), (1, b"431")])
def test_the_largest_head(more, status):
    start = b"GET / HTTP/1.1\r\nx: "
    head = start + b"a" * (MOST_HEAD + more - len(start) - 4) + b"\r\n\r\n"
    assert talk(head, stay=more == 0).startswith(b"HTTP/1.1 " + status)
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"a" * 200_000
    received = talk(post, head[:-9], head[-9:], pause=0.05, stay=more == 0)
    assert received.count(b"HTTP/1.1 200") == 2 - more
    assert received.count(b"HTTP/1.1 431") == more
