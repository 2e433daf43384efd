"""The Containerfile, without a container engine: its user, its entry point and its health check."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "Containerfile").read_text().splitlines()


def command(instruction):
    """Return the command of an instruction, which is a list in JSON."""
    [line] = [line for line in LINES if line.startswith(instruction)]
    return json.loads(line[line.index("[") :])


def test_the_user_is_not_root():
    [user] = [line.split()[1] for line in LINES if line.startswith("USER ")]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_all_that_it_copies_is_in_the_build_context():
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = [source for line in LINES if line.startswith("COPY ") and "--from" not in line for source in line.split()[1:-1]]
    assert kept == set(sources)


@pytest.mark.slow
def test_the_entry_point_and_the_health_check(serve_process, export_root):
    program, name, *arguments = command("ENTRYPOINT")
    assert (program, name) == ("compactlm", "serve")
    with serve_process(*arguments, COMPACTLM_MODEL=str(export_root)) as server:
        port = server.wait_until_ready().rpartition(":")[2]
        _, option, check = command("HEALTHCHECK")
        assert "127.0.0.1:8080/ready" in check
        run = [sys.executable, option, check.replace("8080", port)]
        assert subprocess.run(run, check=False).returncode == 0
        server.stop()
        assert subprocess.run(run, capture_output=True, check=False).returncode != 0
