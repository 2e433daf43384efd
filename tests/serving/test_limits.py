"""Requests that cannot be served: the status code and one sentence."""

import threading
import time

import pytest


def refused(answer, status, kind="Validation"):
    """Check the status and the form of a refusal; return its sentence."""
    assert answer.status_code == status, answer.text
    content = answer.json()
    assert set(content) == {"error", "error_type"}
    assert content["error_type"] == kind
    assert "\n" not in content["error"]
    return content["error"]


def test_too_many_inputs(start):
    client = start(max_inputs=3)
    assert client.post("/embed", json={"inputs": ["dog"] * 3}).status_code == 200
    assert "4 inputs; send at most 3" in refused(client.post("/embed", json={"inputs": ["dog"] * 4}), 413)
    assert "4 inputs" in refused(client.post("/rerank", json={"query": "dog", "texts": ["cat"] * 3}), 413)


def test_a_body_that_is_too_large(start):
    client = start(max_bytes=1000)
    answer = client.post("/predict", json={"inputs": "dog " * 300})
    assert "1,000 bytes" in refused(answer, 413)
    assert answer.headers["connection"] == "close"
    chunks = (b'{"inputs": "', *[b"dog " * 50] * 10, b'"}')  # without a Content-Length
    assert "1,000 bytes" in refused(client.post("/predict", content=iter(chunks), headers={"Content-Type": "application/json"}), 413)
    assert client.post("/predict", json={"inputs": "dog"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "the body is not a JSON object"),
        (b"[1]", "the body is not a JSON object"),
        (b"{", "not valid JSON"),
        (b'{"inputs": "caf\xe9"}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"inputs": ' + b"1" * 10_000 + b"}", "not valid JSON"),
        (b"{}", "inputs is not valid (Field required)"),
        (b'{"inputs": 3}', "inputs is not valid"),
        (b'{"inputs": [[101, 102]]}', "inputs"),
        (b'{"inputs": []}', "inputs is empty"),
        (b'{"inputs": "  "}', "input 0 has no words"),
        (b'{"inputs": ["dog", ""]}', "input 1 has no words"),
        (b'{"inputs": "a secret", "truncation_direction": "Left"}', "truncation_direction is not valid"),
        (b'{"inputs": "a secret", "prompt_name": "query"}', "prompt_name is not valid"),
    ],
)
def test_a_request_that_cannot_be_read(client, body, part):
    sentence = refused(client.post("/predict", content=body, headers={"Content-Type": "application/json"}), 422, "Tokenizer")
    assert part in sentence
    assert "secret" not in sentence


def test_json_needs_its_content_type(client):
    # A page of another origin can send text/plain without asking first.
    answer = client.post("/predict", content=b'{"inputs": "dog"}', headers={"Content-Type": "text/plain"})
    assert "Content-Type: application/json" in refused(answer, 422, "Tokenizer")


@pytest.mark.parametrize(
    ("path", "body", "status", "part"),
    [
        ("/predict", {"inputs": "dog", "task": "topics"}, 404, "the tasks for it are: sentiment"),
        ("/predict/topics", {"inputs": "dog"}, 404, "the tasks for it are: sentiment"),
        ("/nothing", {}, 404, "no such route"),
        ("/fill", {"inputs": "no mask"}, 422, "input 0 has no [MASK]"),
        ("/fill", {"inputs": ["[MASK]", "[MASK] " * 64]}, 413, "more than 64 masks"),
        ("/fill", {"inputs": "[MASK]", "top_k": 0}, 422, "top_k is not valid"),
        ("/rerank", {"query": "dog", "texts": []}, 422, "texts is empty"),
        ("/similarity", {"inputs": {"source_sentence": "dog", "sentences": []}}, 422, "sentences is empty"),
        ("/embed", {"inputs": "dog", "normalize": False}, 422, "normalize is false"),
        ("/answer", {"question": "dog", "threshold": 2}, 422, "threshold is not valid"),
    ],
)
def test_a_request_that_the_model_cannot_serve(client, path, body, status, part):
    assert part in refused(client.post(path, json=body), status, "Tokenizer" if status == 422 else "Validation")


def test_the_wrong_method(client):
    answer = client.get("/predict")
    assert "method" in refused(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_a_server_without_a_file_of_answers(start):
    assert "--knowledge" in refused(start(knowledge=None).post("/answer", json={"question": "dog"}), 404)


def test_long_texts_are_truncated_and_the_answer_says_so(start):
    client = start(max_characters=40)
    long = "the film was good and " * 4
    for path in ("/predict", "/embed"):
        answer = client.post(path, json={"inputs": ["dog", long, "cat", long]})
        assert answer.headers["x-truncated-count"] == "2"
        assert answer.headers["x-truncated-inputs"] == "1,3"
        short = client.post(path, json={"inputs": ["dog", long[:40], "cat", long[:40]]})
        assert answer.json() == short.json()
        assert "x-truncated-count" not in short.headers
        assert "input 1 is longer" in refused(client.post(path, json={"inputs": ["dog", long], "truncate": False}), 413)
        assert client.post(path, json={"inputs": "dog", "truncate": False}).status_code == 200
    assert client.post("/summarize", json={"inputs": long}).json()["cut"] is True
    assert client.post("/summarize", json={"inputs": "dog"}).json()["cut"] is False


def test_a_mask_after_the_end_of_a_truncated_text(start):
    client = start(max_characters=40)
    for inputs, part in (
        (["a [MASK]", "dog " * 10 + "[MASK]"], "input 1 was truncated to 40 characters, before its first [MASK]"),
        ("dog " * 9 + " [MASK]", "input 0 was truncated to 40 characters"),  # in the middle of the mask
        ("dog " * 20, "input 0 has no [MASK]"),
    ):
        assert part in refused(client.post("/fill", json={"inputs": inputs}), 422, "Tokenizer")


def test_a_text_of_more_tokens_than_the_model_accepts_is_truncated_by_predict(client):
    answer = client.post("/predict", json={"inputs": "dog " * 100})
    assert answer.headers["x-truncated-inputs"] == "0"
    assert answer.json() == client.post("/predict", json={"inputs": "dog " * 62}).json()


def test_tokens(start):
    client = start(token="a-token")  # noqa: S106
    for headers in (
        {},
        {"Authorization": "Bearer another"},
        {"Authorization": "a-token"},
        {"Authorization": "Bearer a-token2"},
        {"Authorization": "Bearer "},
    ):
        answer = client.post("/predict", json={"inputs": "dog"}, headers=headers)
        assert "Authorization: Bearer" in refused(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert client.get("/metrics", headers=headers).status_code == 401
        assert client.get("/v1/models", headers=headers).status_code == 401
        assert client.get("/ready", headers=headers).status_code == 200
    for value in ("bearer a-token", "BEARER  a-token "):  # the scheme has any case
        assert client.post("/predict", json={"inputs": "dog"}, headers={"Authorization": value}).status_code == 200
    allowed = {"Authorization": "Bearer a-token"}
    assert client.post("/predict", json={"inputs": "dog"}, headers=allowed).status_code == 200
    assert 'compactlm_rejections_total{reason="token",route="/predict"} 5.0' in client.get("/metrics", headers=allowed).text
    assert client.get("/openapi.json").json()["paths"]["/predict"]["post"]["security"] == [{"token": []}]


def block(client, lane):
    """Let the batches of a lane wait for an event; return it."""
    release, run = threading.Event(), client.service.batcher._lanes[lane]

    def wait_and_run(payloads):
        assert release.wait(60)
        return run(payloads)

    client.service.batcher._lanes[lane] = wait_and_run
    return release


def in_threads(client, count, **body):
    """Send requests at the same time; return their threads and the list of their answers."""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(client.post("/predict", json=body))) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, answers


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_too_many_requests(start):
    client = start(max_requests=2)
    release = block(client, "/predict sentiment")
    threads, answers = in_threads(client, 2, inputs="dog")
    wait_until(lambda: client.service.batcher.queued == 6)
    answer = client.post("/predict", json={"inputs": "dog"})
    refused(answer, 429, "Overloaded")
    assert int(answer.headers["retry-after"]) >= 1
    assert client.get("/live").status_code == 200
    release.set()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert client.post("/predict", json={"inputs": "dog"}).status_code == 200
    assert 'compactlm_rejections_total{reason="requests",route="/predict"} 1.0' in client.get("/metrics").text


def test_a_full_queue(start):
    client = start(queue_tokens=10)
    release = block(client, "/predict sentiment")
    threads, answers = in_threads(client, 1, inputs="the old dog loved music")
    wait_until(lambda: client.service.batcher.queued == 7)
    answer = client.post("/predict", json={"inputs": "the old dog"})
    assert "queue is full" in refused(answer, 429, "Overloaded")
    assert int(answer.headers["retry-after"]) >= 1
    release.set()
    threads[0].join()
    assert answers[0].status_code == 200
    assert 'compactlm_rejections_total{reason="queue",route="/predict"} 1.0' in client.get("/metrics").text


def test_a_model_that_fails(start, caplog):
    from compactlm.errors import CompactLMError

    client = start()

    def fail(payloads):
        raise CompactLMError("the weights return no numbers; copy the model again")

    client.service.batcher._lanes["/predict sentiment"] = fail
    assert "the model failed" in refused(client.post("/predict", json={"inputs": "dog"}), 424, "Backend")
    assert "the weights return no numbers" in caplog.text
    for path in ("/ready", "/health"):  # the process works, the model does not
        refused(client.get(path), 503, "Unhealthy")
    assert client.get("/live").status_code == 200
    assert client.post("/embed", json={"inputs": "dog"}).status_code == 200


def test_an_unexpected_failure_is_answered_and_logged_without_the_text(start, caplog):
    client = start()

    def fail(payloads):
        raise RuntimeError("a secret text")

    client.service.batcher._lanes["/embed"] = fail
    sentence = refused(client.post("/embed", json={"inputs": "a secret text"}), 500, "Backend")
    assert "RuntimeError" in caplog.text
    assert "test_limits.py" in caplog.text
    assert "secret" not in caplog.text + sentence


def test_before_the_model_is_loaded(start, monkeypatch):
    from compactlm.serving.served import ServedModel

    release, load = threading.Event(), ServedModel.load
    monkeypatch.setattr(ServedModel, "load", lambda self: release.wait(60) and load(self))
    client = start(wait=False)
    answer = client.post("/predict", json={"inputs": "dog"})
    assert "being loaded" in refused(answer, 503, "Unhealthy")
    assert answer.headers["retry-after"] == "1"
    assert "starting" in refused(client.get("/ready"), 503, "Unhealthy")
    assert client.get("/live").status_code == client.get("/docs").status_code == 200
    release.set()
    wait_until(lambda: client.service.state == "ready")
    assert client.get("/ready").status_code == client.post("/predict", json={"inputs": "dog"}).status_code == 200
