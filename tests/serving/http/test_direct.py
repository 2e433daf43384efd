"""Routes that are called directly answer as FastAPI would: /predict is one, /predict/{task} goes through FastAPI."""

import asyncio

import pytest

from compactlm.serving.http.direct import direct_calls
from compactlm.serving.http.problems import Problem

TEXT = b'{"inputs": "the film was good"}'


def test_all_posts_with_a_fixed_path_are_called_directly(client):
    from compactlm.serving.routes.registry import PARTS

    posts = {path for path, operations in client.get("/openapi.json").json()["paths"].items() if "post" in operations}
    assert set(direct_calls(part.router(client.service) for part in PARTS)) == posts - {"/predict/{task}"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (TEXT, "application/json", 200),
        (TEXT, "Application/JSON; charset=utf-8", 200),
        (TEXT, "application/vnd.api+json", 200),
        (TEXT, "text/plain", 422),
        (TEXT, "text/json+json", 422),
        (TEXT, "application/json2", 422),
        (TEXT, "multipart/form-data; boundary=application/json", 422),
        (TEXT, None, 422),
        (b"", "application/json", 422),
        (b"null", "application/json", 422),
        (b'"dog"', "application/json", 422),
        (b"{", "application/json", 422),
        (b"[" * 50_000 + b"]" * 50_000, "application/json", 422),
        (b'{"inputs": ' + b"[" * 500 + b"]" * 500 + b"}", "application/json", 422),
        (b'{"inputs": NaN}', "application/json", 422),
        (b'{"inputs": "dog", "unknown": NaN}', "application/json", 200),
        (b'{"inputs": "dog", "raw_scores": 1e400}', "application/json", 422),
        (b'{"inputs": "dog", "inputs": 3}', "application/json", 422),
        (b'{"inputs": "a \\ud800 film"}', "application/json", 200),
        (b'{"inputs": "\\ud83d\\ude00 good"}', "application/json", 200),
        (b'{"inputs": "\xff"}', "application/json", 422),
        (b'{"inputs": "a \xed\xa0\x80 film"}', "application/json", 422),  # a surrogate, which UTF-8 does not have
        (b'{"inputs": "dog", "unknown": "\xed\xa0\x80"}', "application/json", 422),
        (b'\xef\xbb\xbf{"inputs": "dog"}', "application/json", 200),
        (TEXT.decode().encode("utf-16"), "application/json", 200),
        (TEXT.decode().encode("utf-32"), "application/json", 200),
        (b'{"inputs": ["dog", 3]}', "application/json", 422),
        (b'{"inputs": "dog", "truncate": "perhaps"}', "application/json", 422),
    ],
)
def test_a_direct_call_answers_as_fastapi_does(client, body, kind, status):
    headers = {} if kind is None else {"Content-Type": kind}
    direct, other = (client.post(path, content=body, headers=headers) for path in ("/predict", "/predict/sentiment"))
    assert (direct.status_code, direct.content) == (status, other.content)
    assert {**direct.headers} == {**other.headers}
    assert direct.headers["content-type"] == "application/json"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(client, method):
    answer = client.request(method, "/predict")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_body_that_ends_early(client):
    from compactlm.serving.routes import classification

    messages = [{"type": "http.request", "body": b'{"inp', "more_body": True}, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0)

    call = direct_calls([classification.router(client.service)])["/predict"]
    with pytest.raises(Problem, match="closed before the whole body"):
        asyncio.run(call({"headers": []}, receive))


@pytest.mark.parametrize("path", ["/predict", "/predict/sentiment", "/v1/embeddings"])
def test_a_request_that_outlives_the_shutdown(client, path):
    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    async def run():
        scope = {"type": "http", "method": "POST", "path": path, "root_path": "", "query_string": b"", "http_version": "1.1"}
        scope["headers"] = [(b"content-type", b"application/json"), (b"content-length", b"100")]
        request = asyncio.create_task(client.app(scope, receive, send))
        await asyncio.sleep(0.2)
        request.cancel()  # as uvicorn does after --grace-seconds
        await request

    asyncio.run(run())
    start, end = sent
    assert start["status"] == 503
    assert {(b"retry-after", b"1"), (b"connection", b"close")} <= set(start["headers"])
    assert b"shut down before the answer" in end["body"]
