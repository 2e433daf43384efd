"""Requests drawn from the OpenAPI document: no failure of the server, and only answers that the document describes.

A longer run, which prints the number of requests: COMPACTLM_FUZZ_EXAMPLES=2000 python -m pytest -s tests/serving/test_fuzz.py
"""

import concurrent.futures
import json
import os
import random
import re
from collections import Counter

import httpx2 as httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import openapi
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("COMPACTLM_FUZZ_EXAMPLES", "15"))
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
OPERATIONS = {
    "/predict": "POST",
    "/predict/{task}": "POST",
    "/tag": "POST",
    "/extract": "POST",
    "/embed": "POST",
    "/similarity": "POST",
    "/rerank": "POST",
    "/fill": "POST",
    "/answer": "POST",
    "/summarize": "POST",
    "/tokenize": "POST",
    "/v1/embeddings": "POST",
    "/v1/models": "GET",
    "/v1/models/{model}": "GET",
    "/live": "GET",
    "/ready": "GET",
    "/health": "GET",
    "/info": "GET",
    "/metrics": "GET",
}
bounded = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def url(serve_process, export_root, heads_export, faq, tmp_path_factory):
    """The address of a server of all kinds of task, which must still be alive after the tests and must have logged no failure."""
    root = tmp_path_factory.mktemp("models")
    for path in (*export_root.iterdir(), *heads_export.iterdir()):
        (root / path.name).symlink_to(path)
    with serve_process("--model", root, "--knowledge", faq, "--max-inputs", 20) as server:
        yield server.wait_until_ready()
        assert httpx.get(f"{server.url}/ready").status_code == 200
        counted = Counter()
        for status, number in re.findall(r'compactlm_requests_total\{.*status="(\d+)".*\} (\S+)', httpx.get(f"{server.url}/metrics").text):
            counted[status] += int(float(number))
        print(f"\n{counted.total():,} requests by status: {dict(sorted(counted.items()))}")  # noqa: T201 - shown with -s
        assert server.stop() == 0
        assert "ERROR" not in "".join(server.log)


@pytest.fixture(scope="module")
def document(url):
    return openapi.from_url(f"{url}/openapi.json")


def test_all_operations_are_tested(url):
    found = httpx.get(f"{url}/openapi.json").json()["paths"]
    assert {path: [method.upper()] for path, method in OPERATIONS.items()} == {path: [*map(str.upper, one)] for path, one in found.items()}


@pytest.mark.parametrize(
    ("path", "mode"),
    [(path, mode) for path, method in OPERATIONS.items() for mode in GenerationMode if method == "POST" or mode is GenerationMode.POSITIVE],
    ids=lambda value: getattr(value, "value", value),
)
def test_drawn_requests(document, path, mode):
    operation = document[path][OPERATIONS[path]]

    @bounded
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case):
        case.call_and_validate(checks=CHECKS, timeout=60)

    send()


@pytest.mark.parametrize("path", [path for path, method in OPERATIONS.items() if method == "POST"])
def test_drawn_bytes(url, path):
    @bounded
    @given(body=st.binary(max_size=200), kind=st.sampled_from(["application/json", "text/plain", "application/x-www-form-urlencoded", ""]))
    def send(body, kind):
        answer = httpx.post(url + path.format(task="sentiment"), content=body, headers={"Content-Type": kind}, timeout=60)
        assert answer.status_code in (422, 404)

    send()


@pytest.mark.parametrize(
    "path", ["/predict/sentiment", "/predict/topics", "/predict/rating", "/tag", "/embed", "/tokenize", "/summarize", "/fill"]
)
def test_drawn_texts(url, path):
    # Every text, also with surrogates, control characters and other scripts, gives an answer or 422.
    with httpx.Client(base_url=url, timeout=60) as client:

        @bounded
        @given(texts=st.lists(st.text() | st.sampled_from(["dog", "[MASK]", "a [MASK] [CLS]", "\x00", "\u202e", "\ud800"]), max_size=5))
        def send(texts):
            answer = client.post(path, content=json.dumps({"inputs": texts}).encode(), headers={"Content-Type": "application/json"})
            assert answer.status_code in (200, 422), answer.text
            assert answer.status_code == 422 or len(answer.json()) == len(texts)

        send()


def test_no_text_of_one_client_is_in_the_answer_of_another(url, on_onnx):
    def talk(number):
        generator, name = random.Random(number), f"Client{number}x"
        with httpx.Client(base_url=url, timeout=60) as client:
            for turn in range(EXAMPLES):
                texts = [f"{name} {turn} the dog was {generator.choice(['good', 'bad', 'old'])}." for _ in range(generator.randint(1, 5))]
                ranks = client.post("/rerank", json={"query": name, "texts": texts, "return_text": True}).json()
                assert [rank["text"] for rank in sorted(ranks, key=lambda rank: rank["index"])] == texts
                summary = client.post("/summarize", json={"inputs": " ".join(texts), "sentences": 5}).json()["sentences"]
                assert {one["text"] for one in summary} == set(texts)
                expected = [found.probabilities for found in map(on_onnx.classify, texts)]
                found = client.post("/predict/sentiment", json={"inputs": texts}).json()
                for labels, probabilities in zip(found, expected, strict=True):
                    assert {one["label"]: one["score"] for one in labels} == pytest.approx(probabilities, abs=1e-5)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(talk, range(8)))
