"""The middleware with an application in place of the routes."""

import asyncio
import types

import pytest

from compactlm.serving import gate
from compactlm.serving.gate import Gate
from compactlm.serving.metrics import Metrics
from compactlm.serving.settings import Settings


async def read_all(scope, receive, send):
    """Read the body and answer with its size."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message["body"])
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def answer(receive, app=read_all, headers=(), **settings):
    """Return the status and the headers of the answer to a request."""
    sent = []
    service = types.SimpleNamespace(settings=Settings(**settings), metrics=Metrics(), state="ready")

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": list(headers)}
    asyncio.run(asyncio.wait_for(Gate(app, service, ["/predict"], {})(scope, receive, send), 30))
    [status] = [message["status"] for message in sent if message["type"] == "http.response.start"]
    assert service.metrics.registry.get_sample_value("compactlm_requests_total", {"route": "/predict", "status": str(status)}) == 1
    assert service.metrics.registry.get_sample_value("compactlm_requests_in_flight") == 0
    return status, dict(sent[0]["headers"])


def chunks(*parts):
    """Return a function that receives the parts of a body."""
    left = list(parts)

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive


def test_a_body_that_does_not_arrive_is_given_up(monkeypatch):
    monkeypatch.setattr(gate, "BODY_SECONDS", 0.05)
    status, headers = answer(lambda: asyncio.sleep(60))
    assert (status, headers[b"connection"]) == (408, b"close")


def test_a_body_that_arrives_byte_by_byte_is_given_up(monkeypatch):
    monkeypatch.setattr(gate, "BODY_SECONDS", 0.2)

    async def receive():
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    assert answer(receive)[0] == 408


@pytest.mark.parametrize(("parts", "status"), [([b"12", b"345"], 200), ([b"12", b"3456"], 413), ([b"123456"], 413)])
def test_the_size_of_a_body_without_a_length(parts, status):
    assert answer(chunks(*parts), max_bytes=5)[0] == status


@pytest.mark.parametrize(("length", "status"), [(b"5", 200), (b"6", 413), (b"99999999999999999999", 413), (b"-1", 200), (b"x", 200)])
def test_the_announced_size(length, status):
    assert answer(chunks(b"12345"), headers=[(b"content-length", length)], max_bytes=5)[0] == status


def test_a_failure_after_the_start_of_the_answer_is_logged_without_its_message(caplog):
    async def fail(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("a secret text")

    assert answer(chunks(b""), app=fail)[0] == 200
    assert "RuntimeError at" in caplog.text
    assert "secret" not in caplog.text
