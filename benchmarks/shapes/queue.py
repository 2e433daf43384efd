"""Fill and run DVC's experiment queue, and wait for experiments to end.

`dvc exp run --run-all` never ends if an experiment fails before its process starts, so this module starts the queue and polls it.
DVC's processes communicate by files that may be half-written, so this module reads as few of them as possible.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from compactlm.errors import CompactLMError

TARGET = "evaluate"  # the last stage that the comparison needs
NOT_IN_GIT = ("data/sources", "models/sources")  # an experiment's directory lacks the user's own files
UNFINISHED = ("Queued", "Running")
WORKER = "dvc-exp-worker-1.json"  # DVC writes the worker's process here
LOOK_SECONDS = 3.0
WORKER_SECONDS = 60.0  # the time without a worker before another is started
START = ("dvc", "queue", "start", "--jobs", "1")  # one experiment at a time


def run_command(name: str, overrides: Sequence[str], copied: Sequence[str]) -> list[str]:
    """Return the command that queues an experiment, which also gets `copied`, the needed paths that git does not have.

    The command has no --force, which would replace an older experiment but also run every stage again.
    """
    settings = [part for override in overrides for part in ("-S", override)]
    copies = [part for path in copied for part in ("--copy-paths", path)]
    return ["dvc", "exp", "run", "--queue", "--name", name, *settings, *copies, TARGET]


def log_command(name: str) -> str:
    """Return the command that shows why an experiment failed."""
    return f"dvc queue logs {name}"


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Delay Ctrl-C and termination until the block has ended, because DVC stashes the work tree while it queues an experiment."""
    held: list[int] = []
    old = {number: signal.signal(number, lambda number, _: held.append(number)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
    if held:
        raise KeyboardInterrupt


def call(command: Sequence[str], fails: bool = False) -> str:
    """Run a command, without interruption from the keyboard, and return its output.

    Raises:
        CompactLMError: the command failed, and `fails` is false.
    """
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "COMPACTLM_CACHE": os.environ.get("COMPACTLM_CACHE") or str(Path(".cache").resolve()),  # all experiments share one cache
    }
    # Files instead of pipes, because the queue's worker would inherit pipes and keep them open.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        with undisturbed():
            status = subprocess.run(command, stdout=output, stderr=errors, check=False, env=environment, start_new_session=True).returncode
        for file in (output, errors):
            file.seek(0)
        printed, complaint = (file.read().decode(errors="replace") for file in (output, errors))
    if status and not fails:
        reason = " ".join((complaint or printed).split())[-600:]
        raise CompactLMError(f"`{' '.join(command)}` failed ({reason}); fix the cause and run the command again")
    return printed


def paths_not_in_git() -> list[str]:
    """Return the user's own text and models, which experiments need too."""
    listed = call(["git", "ls-files", "--others", "--directory", "-z", "--", *NOT_IN_GIT])
    return sorted(path.rstrip("/") for path in listed.split("\0") if path and not path.endswith(".unfinished"))


class Queue:
    """The experiments of some names in this repository's queue."""

    def __init__(self, names: Sequence[str]) -> None:
        from dvc.repo import Repo

        self.names = list(names)
        self._queue = Repo().experiments.celery_queue

    def _all_entries(self) -> list[dict[str, Any]]:
        for _ in range(20):
            with contextlib.suppress(json.JSONDecodeError, FileNotFoundError):
                return self._queue.status()
            time.sleep(0.2)
        return self._queue.status()

    def _entries(self) -> list[dict[str, Any]]:
        return [entry for entry in self._all_entries() if entry["name"] in self.names]

    def states(self) -> dict[str, str]:
        """Return Queued, Running, Failed or Success by name, without names that the queue does not know."""
        return {entry["name"]: entry["status"] for entry in self._entries()}

    def others(self) -> int:
        """Return the number of waiting experiments of other names, which run too."""
        return sum(entry["status"] == "Queued" and entry["name"] not in self.names for entry in self._all_entries())

    def cancel(self) -> None:
        """Remove unfinished experiments of these names from the queue, also running ones."""
        for _ in range(3):
            self._remove(("Queued",))
            running = [name for name, state in self.states().items() if state == "Running"]
            if not running:
                break
            # This interrupts the stage's process; DVC then removes the experiment's directory.
            call(["dvc", "queue", "kill", *running], fails=True)
            deadline = time.monotonic() + 60
            while "Running" in self.states().values() and time.monotonic() < deadline:
                time.sleep(1)
        self.stop()

    def forget(self) -> None:
        """Remove earlier experiments of these names at the current commit, and their results and logs from the queue."""
        self._remove(("Failed", "Success"))
        listed = call(["dvc", "exp", "list", "--name-only"]).split()
        present = [name for name in self.names if name in listed]
        if present:
            call(["dvc", "exp", "remove", *present])

    def wait(self, report: Callable[[str, str], None]) -> None:
        """Run the queue until all experiments of these names have ended, and report each change of their states."""
        call(START)
        known: dict[str, str] = {}
        seen = time.monotonic()
        while True:
            states = self.states()
            for name, state in states.items():
                if known.get(name) != state:
                    report(name, state)
            known = states
            if not any(state in UNFINISHED for state in states.values()):
                break
            if self._worker_lives():
                seen = time.monotonic()
            elif time.monotonic() - seen > WORKER_SECONDS:  # it was killed, or ended just before the queue was filled
                self._revive(states)
                seen = time.monotonic()
            time.sleep(LOOK_SECONDS)
        self.stop()

    def stop(self) -> None:
        """Stop the worker if no experiment needs it. It normally ends alone, but not if it has read a half-written file."""
        if self._worker_lives() and not any(entry["status"] in UNFINISHED for entry in self._all_entries()):
            call(["dvc", "queue", "stop"], fails=True)

    def _worker_lives(self) -> bool:
        import psutil

        try:
            information = json.loads((Path(self._queue.wdir) / WORKER).read_text(encoding="utf-8"))
            process = psutil.Process(information["pid"])
            return process.status() != psutil.STATUS_ZOMBIE and "queue-worker" in process.cmdline()
        except (OSError, ValueError, KeyError, psutil.Error):
            return False

    def _revive(self, states: dict[str, str]) -> None:
        dead = [name for name, state in states.items() if state == "Running"]
        if dead:
            call(["dvc", "queue", "kill", *dead], fails=True)
        call(START)

    def _remove(self, states: Sequence[str]) -> None:
        revisions = [entry["rev"] for entry in self._entries() if entry["status"] in states]
        if revisions:
            call(["dvc", "queue", "remove", *revisions])
