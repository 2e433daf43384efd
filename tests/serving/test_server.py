"""`compactlm serve` in a process of its own: start, signals, failures and the log."""

import concurrent.futures
import shutil
import socket
import subprocess
import sys
import time

import httpx2 as httpx
import pytest

from compactlm.errors import CompactLMError
from compactlm.serving.server import _listen

pytestmark = pytest.mark.slow  # each server takes a second or two to start

TEXT = "a secret text about the film"


def test_it_serves_without_torch_and_logs_no_texts(serve_process, export_root, faq):
    with serve_process("--model", export_root, "--knowledge", faq, "--log-requests") as server:
        url = server.wait_until_ready()
        assert url.startswith("http://127.0.0.1:")
        with httpx.Client(base_url=url) as client:
            assert client.post("/predict", json={"inputs": TEXT}).status_code == 200
            assert client.post(f"/predict/{TEXT}", params={"q": TEXT}, json={"inputs": TEXT}).status_code == 404
            assert client.post("/fill", json={"inputs": TEXT}).status_code == 422
            assert client.get(f"/{TEXT}").status_code == 404
            assert client.get("/live").status_code == 200
        server.wait_for(r"POST /predict 200 \d+\.\d ms")
        server.wait_for("GET other 404")
        loaded = subprocess.run(["cat", f"/proc/{server.process.pid}/maps"], capture_output=True, text=True, check=False).stdout
        assert server.stop() == 0
        assert "torch" not in loaded
        assert "secret" not in "".join(server.log)
        assert "Traceback" not in "".join(server.log)


def test_requests_in_flight_are_finished_after_sigterm(serve_process, export_root):
    # One thread and 256 long texts: the requests take longer than the drain of 1 s.
    body = {"inputs": ["the film was very good and the old dog loved music by the river " * 4] * 256}
    with serve_process("--model", export_root, "--threads", "1", "--drain-seconds", "1") as server:
        url = server.wait_until_ready()
        client, other = (httpx.Client(base_url=url, timeout=120) for _ in range(2))  # to make a client takes long on a busy machine
        with client, other, concurrent.futures.ThreadPoolExecutor(12) as pool:
            calls = [pool.submit(httpx.post, f"{url}/predict", json=body, timeout=120) for _ in range(12)]
            while "compactlm_requests_in_flight 12.0" not in client.get("/metrics").text:
                time.sleep(0.01)
            server.process.terminate()
            answers = set()
            while 503 not in answers:
                answer = client.get("/ready")
                answers.add(answer.status_code)
            assert answer.headers["connection"] == "close"
            assert answer.json()["error"].startswith("the server is draining")
            assert other.get("/live").status_code == 200  # a new connection
            assert not all(call.done() for call in calls)
            assert [call.result().status_code for call in calls] == [200] * 12
        assert server.process.wait(30) == 0


def test_a_second_sigterm_ends_the_drain(serve_process, export_root):
    with serve_process("--model", export_root, "--drain-seconds", "600") as server:
        server.wait_until_ready()
        server.process.terminate()
        server.wait_for("draining")
        server.process.terminate()
        assert server.process.wait(30) == 0


def test_ctrl_c_ends_at_once_with_status_130(serve_process, export_root):
    import signal

    with serve_process("--model", export_root, "--drain-seconds", "600") as server:
        server.wait_until_ready()
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 130
        assert "Traceback" not in "".join(server.log)


def run(*arguments):
    command = [sys.executable, "-m", "compactlm.cli", "serve", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    sentences = [line for line in done.stderr.splitlines() if line.startswith("compactlm: ")]
    assert (done.returncode, len(sentences)) == (1, 1), done.stderr
    assert "Traceback" not in done.stderr
    return sentences[0]


def test_a_port_that_is_in_use_is_one_sentence(export_root):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} of 127.0.0.1 cannot be used" in run("--model", export_root, "--port", port)


@pytest.mark.parametrize("host", ["x" * 300, "a..b", "256.0.0.1"])
def test_a_host_that_cannot_exist_is_one_sentence(host):
    """`make fuzz` found the first two, which have no IDNA form."""
    with pytest.raises(CompactLMError, match=rf"port 0 of {host} cannot be used \(.+\); pass another --port or --host"):
        _listen(host, 0)


def test_a_model_that_cannot_be_loaded_is_one_sentence(export_root, tmp_path):
    root = tmp_path / "models"
    shutil.copytree(export_root, root)
    (root / "sentiment/onnx/model.onnx").write_bytes(b"damaged")
    assert "sentiment/onnx/model.onnx cannot be read" in run("--model", root, "--port", 0)


def test_a_knowledge_file_that_cannot_be_read_is_one_sentence(export_root, tmp_path):
    assert "nothing.jsonl cannot be read" in run("--model", export_root, "--port", 0, "--knowledge", tmp_path / "nothing.jsonl")


def test_other_machines_without_a_token_are_warned_about(serve_process, export_root):
    with serve_process("--model", export_root, "--host", "0.0.0.0") as server:  # noqa: S104
        server.wait_for("set COMPACTLM_TOKEN")
    with serve_process("--model", export_root, "--host", "0.0.0.0", COMPACTLM_TOKEN="a-token") as server:  # noqa: S104, S106
        url = server.wait_until_ready().replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx.get(f"{url}/info").status_code == 401
        assert "a-token" not in "".join(server.log)
        assert "COMPACTLM_TOKEN" not in "".join(server.log)
