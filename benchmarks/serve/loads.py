"""Start a server, and send it loads from a client in a process of its own."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.serve.client import RESET, Job
from benchmarks.shared.harness import run_job

COMMAND = "bench-serve"


@contextlib.contextmanager
def running(*command: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends."""
    process = subprocess.Popen([sys.executable, "-m", *command], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=30).read()
                break
            except urllib.error.HTTPError as error:
                if error.code == 404:  # the server of the empty route
                    break
            except OSError:
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{COMMAND}: `python -m {' '.join(command)}` does not start; run it to see why")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    """Return a port that no server uses."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def resident_megabytes(process: subprocess.Popen[bytes]) -> float:
    """Return the resident memory of a process; 0 where /proc is missing."""
    status = Path(f"/proc/{process.pid}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    return round(int(found.group(1)) / 1024, 1) if found else 0.0


class Loads:
    """Loads on one server, each by a client in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, path: str, bodies: Sequence[object], scratch: Path) -> None:
        """Take the server, the route and the requests, which are sent in turn."""
        self.process, self.port, self.path, self.scratch = process, port, path, scratch
        self.bodies = [json.dumps(body) for body in bodies]

    def measure(self, connections: int, seconds: float, rate: float = 0.0, requests: int = 0) -> dict[str, Any]:
        """Return the figures of one load; see client.Job."""
        job = Job(self.port, self.path, self.bodies, connections, seconds, rate, requests)
        found = run_job(COMMAND, f"{self.path} with {connections} connections", "benchmarks.serve.client", job, self.scratch)
        statuses = found["statuses"]
        total = sum(statuses.values())
        return {
            "connections": connections,
            "requests_a_second": round(found["a_second"], 1),
            "p50_ms": round(found["p50_ms"], 2),
            "p99_ms": round(found["p99_ms"], 2),
            "rejected": round(statuses.get("429", 0) / total, 4),
            "failed": sum(count for status, count in statuses.items() if status.startswith("5")),
            "reset": statuses.get(RESET, 0),
            "requests": total,
            "megabytes": resident_megabytes(self.process),
        }

    def curve(self, connections: Sequence[int], seconds: float) -> list[dict[str, Any]]:
        """Return the figures for each number of connections."""
        return [self.measure(number, seconds) for number in connections]
