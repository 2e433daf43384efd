"""A server in the process of the tests, and one in a process of its own, both with the tiny exported model."""

import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
import time

import pytest


@pytest.fixture(scope="session")
def faq(tmp_path_factory):
    """A file of two questions and answers."""
    path = tmp_path_factory.mktemp("faq") / "faq.jsonl"
    path.write_text(
        '{"question": "was the film good?", "answer": "very good"}\n{"question": "where is the dog?", "answer": "by the river"}\n'
    )
    return path


@contextlib.contextmanager
def servers(model, knowledge, cache):
    """Return a factory of clients of servers with other settings; a server starts with its first client."""
    from fastapi.testclient import TestClient

    from compactlm.serving.app import create_app, create_service
    from compactlm.serving.settings import Settings

    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPACTLM_CACHE", str(cache))

        def run(wait=True, **settings):
            service = create_service(Settings(**{"model": model, "knowledge": knowledge, "threads": 2, **settings}))
            client = stack.enter_context(TestClient(create_app(service), raise_server_exceptions=False, follow_redirects=False))
            client.service = service
            deadline = time.monotonic() + 60
            while wait and service.state == "starting" and service.failure is None and time.monotonic() < deadline:
                time.sleep(0.01)
            return client

        yield run


@pytest.fixture
def start(export_root, faq, tmp_path_factory):
    """Return a factory of clients of servers of this test."""
    with servers(export_root, faq, tmp_path_factory.mktemp("cache")) as run:
        yield run


@pytest.fixture(scope="session")
def client(export_root, faq, tmp_path_factory):
    """A client of a server with the default settings, which tests do not change."""
    with servers(export_root, faq, tmp_path_factory.mktemp("cache")) as run:
        yield run()


class Process:
    """`compactlm serve` in a process of its own."""

    def __init__(self, *arguments, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("COMPACTLM")}
        command = [sys.executable, "-m", "compactlm.cli", "serve", "--port", "0", *map(str, arguments)]
        # A background job of a shell ignores SIGINT, and so would its children.
        restoring = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
        command = [sys.executable, "-c", restoring, *command]
        self.process = subprocess.Popen(command, env={**clean, **environment}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.log, self._lines = [], queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            self._lines.put(line)

    def wait_for(self, pattern, seconds=60):
        """Return the first match of a pattern in the lines that the server logs next."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(f"no {pattern!r} in {self.log}") from None
            if found := re.search(pattern, line):
                return found

    def wait_until_ready(self):
        """Wait for the first inference; return the address."""
        self.url = self.wait_for(r"http://\S+:\d+").group()
        self.wait_for("ready")
        return self.url

    def stop(self):
        """End the process and return its status."""
        self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@pytest.fixture(scope="session")
def serve_process(tmp_path_factory):
    """Return a context manager that runs `compactlm serve` with some arguments."""

    @contextlib.contextmanager
    def run(*arguments, **environment):
        server = Process(*arguments, COMPACTLM_CACHE=str(tmp_path_factory.mktemp("cache")), **environment)
        try:
            yield server
        finally:
            if server.process.poll() is None:
                server.stop()

    return run
