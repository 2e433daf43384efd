"""Copies of the server on a local Ray cluster."""

import concurrent.futures
import os
import socket

import httpx2 as httpx
import pytest

from compactlm.errors import CompactLMError

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
ray = pytest.importorskip("ray", reason="the extra compactlm[ray] is not installed")
serve = pytest.importorskip("ray.serve", reason="the extra compactlm[ray] is not installed", exc_type=ImportError)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(export_root):
    """The address of a cluster with 2 copies."""
    from compactlm.serving import ray_copies

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(ray_copies.application({"model": str(export_root), "copies": "2"}), name="compactlm")
        yield f"http://127.0.0.1:{port}"
    finally:
        serve.shutdown()
        ray.shutdown()


def test_two_copies_answer_as_one_model(url, on_onnx, tiny_texts):
    def ask(text):
        while (answer := httpx.post(f"{url}/predict", json={"inputs": text}, timeout=60)).status_code == 503:
            pass  # a copy is still loading
        return {one["label"]: one["score"] for one in answer.json()}

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, tiny_texts[:40]))
    for text, scores in zip(tiny_texts, found, strict=False):
        assert scores == pytest.approx(on_onnx.classify(text).probabilities, abs=1e-5)
    assert httpx.get(f"{url}/ready", timeout=60).status_code == 200
    assert httpx.post(f"{url}/predict/topics", json={"inputs": "dog"}, timeout=60).status_code == 404


@pytest.mark.parametrize("arguments", [{}, {"model": "m", "port": "1"}, {"model": "m", "backend": "torch"}])
def test_arguments_that_cannot_work_are_one_sentence(arguments):
    from compactlm.serving.ray_copies import application

    with pytest.raises(CompactLMError, match="pass"):
        application(arguments)
