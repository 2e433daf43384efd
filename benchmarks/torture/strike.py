"""A run of `dvc repro` with one fault."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import signal
import sys
import time
from collections.abc import Iterator
from typing import Literal

import psutil

from benchmarks.torture.place import CACHES, Place
from benchmarks.torture.tally import Fault
from benchmarks.torture.warm import Run

Kind = Literal[
    "kill group", "kill process", "terminate group", "interrupt group", "kill dvc", "full disk", "read-only cache", "clock", "two at once"
]
KINDS: dict[Kind, float] = {  # how often each is drawn
    "kill group": 8,
    "kill process": 4,
    "terminate group": 3,
    "interrupt group": 1,
    "kill dvc": 1,
    "full disk": 3,
    "read-only cache": 1,
    "clock": 2,
    "two at once": 2,
}
JUMPS = ("+3d", "-1h", "+400d", "-20d", "-90", "+90")
MOST_JUMPS = 4  # of a run, so that a slow run does not fill the tally with one kind
LONGEST_LEFT = 400_000  # bytes that a full disk has left
WHOLE = 1800.0  # seconds that a run may take on a busy machine
HELD = 60.0  # seconds until somebody frees the disk; DVC's caches wait for that without an end


@dataclasses.dataclass
class Struck:
    """What a run with a fault, or several jumps of the clock, came to: the faults, the exit status and the output."""

    faults: list[Fault]
    status: int
    text: str


class Striker:
    """Runs `dvc repro` with faults."""

    def __init__(self, place: Place, rng: random.Random, seconds: dict[str, float], name: str, target: str | None) -> None:
        """Take the seconds that each stage needs, the name of the log files, and the last stage; None is the last of all."""
        self.place, self.rng, self.seconds, self.name = place, rng, seconds, name
        self.arguments = [] if target is None else [target]
        self.runs = 0

    def start(self, *, cold: bool = False) -> Run:
        """Start `dvc repro`."""
        run = Run(self.place.logs, self._next_name())
        return run.cold(["dvc", "repro", *self.arguments]) if cold else run.repro(["repro", *self.arguments])

    def strike(self, kind: Kind, *, cold: bool) -> Struck | None:
        """Run `dvc repro` with a fault; None if it ended before the fault came."""
        if kind == "full disk":
            return self._around(kind, self.place.full(int(LONGEST_LEFT * self.rng.random() ** 2)), cold)
        if kind == "clock":
            return self._jump()
        if kind == "read-only cache":
            return self._around(kind, self.place.read_only(self.rng.choice(CACHES)), cold)
        run = self.start(cold=cold)
        if not self._wait_for_moment(run, cold):
            return None
        at = run.started()[-1] if run.started() else "dvc"
        if kind == "two at once":
            return self._second(run, at)
        if kind == "kill process":
            at = self._kill_one(run, at)
        elif kind == "kill dvc":
            with contextlib.suppress(ProcessLookupError):
                psutil.Process(run.pid).send_signal(self.rng.choice((signal.SIGKILL, signal.SIGTERM)))
        else:
            run.signal({"kill group": signal.SIGKILL, "terminate group": signal.SIGTERM, "interrupt group": signal.SIGINT}[kind])
        status = run.wait(WHOLE)
        if kind == "kill dvc" and self.rng.random() < 0.5:
            _wait_for_group(run)
        return Struck([Fault(kind, at)], status, run.text())

    def _around(self, kind: Kind, fault: contextlib.AbstractContextManager[None], cold: bool) -> Struck | None:
        """Run with a fault that begins before the run, or at some moment of it."""
        if self.rng.random() < 0.5:
            with fault:
                run = self.start(cold=cold)
                _wait(run, HELD)
            status = run.wait(WHOLE)
            return Struck([Fault(kind, run.started()[-1] if run.started() else "dvc")], status, run.text())
        run = self.start(cold=cold)
        if not self._wait_for_moment(run, cold):
            return None
        at = run.started()[-1] if run.started() else "dvc"
        with fault:
            _wait(run, HELD)
        status = run.wait(WHOLE)
        return Struck([Fault(kind, run.started()[-1] if status and run.started() else at)], status, run.text())

    def _jump(self) -> Struck | None:
        """Run all processes with a clock that jumps a few times."""
        run = Run(self.place.logs, self._next_name()).cold(["dvc", "repro", *self.arguments], self.place.false_clock())
        faults = []
        for _ in range(MOST_JUMPS):
            time.sleep(1 + 4 * self.rng.random())
            if run.ended():
                break
            self.place.set_clock(self.rng.choice(JUMPS))
            faults.append(Fault("clock", run.started()[-1] if run.started() else "dvc"))
        status = run.wait(WHOLE)
        self.place.set_clock("+0")
        return Struck(faults, status, run.text()) if faults else None

    def _next_name(self) -> str:
        self.runs += 1
        return f"{self.name}-{self.runs:02d}"

    def _second(self, run: Run, at: str) -> Struck:
        second = self.start()
        statuses, text = [run.wait(WHOLE), second.wait(WHOLE)], run.text() + second.text()
        # The first is not disturbed by the second, which waits or is refused.
        return Struck([Fault("two at once", at)], statuses[0] and min(statuses), text)

    def _kill_one(self, run: Run, at: str) -> str:
        """Kill a worker process if there is one, else the stage."""
        others = run.others()
        workers = [one for one in others if _is_worker(one)]
        chosen = self.rng.choice(workers or others) if others else None
        if chosen is not None:
            with contextlib.suppress(psutil.Error):
                chosen.kill()
        return at

    def _wait_for_moment(self, run: Run, cold: bool) -> bool:
        """Wait until a random moment of one of the next stages; return false if the run has ended before."""
        stages = 1
        while self.rng.random() < 0.35:
            stages += 1
        if self.rng.random() < 0.08:  # while DVC itself works
            stages, share = 0, self.rng.random()
        else:
            share = self.rng.random() * 1.05
        while len(run.started()) < stages:
            if run.ended():
                return False
            time.sleep(0.01)
        last = run.started()[-1] if run.started() else "dvc"
        time.sleep(share * (self.seconds.get(last, 1.0) + (6.0 if cold else 0.0)))
        return not run.ended()


def _is_worker(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any("spawn_main" in part for part in process.cmdline())
    return False


def _wait(run: Run, seconds: float) -> None:
    """Wait for the end of a run, at most some seconds."""
    for _ in _ticks(seconds):
        if run.ended():
            return


def _wait_for_group(run: Run) -> None:
    """Wait until no process of a run's group is left."""
    for _ in _ticks(60):
        if not any(_group(one) == run.pid for one in psutil.process_iter()):
            return
    print(f"the group {run.pid} does not end", file=sys.stderr)
    run.signal(signal.SIGKILL)


def _group(process: psutil.Process) -> int:
    import os

    with contextlib.suppress(OSError):
        return os.getpgid(process.pid)
    return 0


def _ticks(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)
