"""Train several experiments one after another in DVC's queue, and wait for them."""

import argparse
import contextlib
import fcntl
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.shapes.queue import Queue, call, log_command, paths_not_in_git, run_command
from benchmarks.shapes.results import DISTILLED, EVALUATED, TAUGHT
from compactlm.errors import CompactLMError

LOCK = Path(".cache/experiments.lock")


def read_arguments(arguments: Sequence[str], command: str, description: str) -> argparse.Namespace:
    """Read `overrides` and `collect` from the command line. From here on SIGTERM ends the command like Ctrl-C."""
    parser = argparse.ArgumentParser(prog=command, description=description)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="parameters, as for `dvc exp run -S`: preset=smoke, seed=18")
    parser.add_argument("--collect", action="store_true", help="train nothing; collect the finished experiments")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return chosen


def run_main(command: str, main: Callable[[Sequence[str]], int]) -> None:
    """Run a command and exit: with one sentence after an error, and with status 130 after an interruption."""
    try:
        sys.exit(main(sys.argv[1:]))
    except CompactLMError as error:
        sys.exit(f"{command}: {error}")
    except KeyboardInterrupt:
        print(f"{command}: interrupted; `make {command} ARGS=--collect` uses the finished experiments", file=sys.stderr)
        sys.exit(130)


@contextlib.contextmanager
def alone(command: str) -> Iterator[None]:
    """Raise CompactLMError if this command or another one that fills the queue is running."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CompactLMError(f"`{command}` or a similar command is already running here; wait until it has ended") from None
        yield


def train(experiments: Mapping[str, Sequence[str]]) -> None:
    """Queue experiments, given as overrides by name, and wait until all have ended. They replace those of earlier runs."""
    queue = Queue(list(experiments))
    queue.cancel()
    queue.forget()
    started = time.monotonic()

    def report(name: str, state: str) -> None:
        print(f"{(time.monotonic() - started) / 60:6.1f} min  {name}: {state.lower()}", flush=True)

    try:
        copied = paths_not_in_git()
        for name, overrides in experiments.items():
            call(run_command(name, overrides, copied))
        if others := queue.others():
            print(f"{others} other experiments wait in DVC's queue and run too.")
        print(f"To watch an experiment from another terminal: {log_command(queue.names[0])} --follow", flush=True)
        queue.wait(report)
    except (KeyboardInterrupt, CompactLMError):
        print("Removing unfinished experiments from the queue ...", file=sys.stderr, flush=True)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        queue.cancel()
        raise


def run_experiments(experiments: Mapping[str, Sequence[str]], collect: bool) -> list[dict[str, Any]]:
    """Train experiments, unless finished ones are only collected, and return the output of `dvc exp show --json`."""
    baseline = call(["git", "rev-parse", "HEAD"]).strip()
    if not collect:
        train(experiments)
    return json.loads(call(["dvc", "exp", "show", "--json", "--rev", baseline]))


def finished(shown: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the revision and the metrics by file of each finished experiment, in the order of the names; print which are missing.

    `shown` is the output of `dvc exp show --json`. It has the workspace's metrics for experiments that are queued, running or failed.
    """
    found = {}
    for one in (one for baseline in shown for one in baseline.get("experiments") or []):
        revision = one["revs"][0]
        metrics = (revision.get("data") or {}).get("metrics") or {}
        by_file = {file: metrics.get(file, {}).get("data") for file in (EVALUATED, DISTILLED, TAUGHT)}
        if (one.get("executor") or {}).get("state", "success") == "success" and None not in by_file.values():
            found[one["name"]] = (revision["rev"], by_file)
    for name in names:
        if name not in found:
            print(f"{name} has no result; to see why: {log_command(name)}", file=sys.stderr)
    return {name: found[name] for name in names if name in found}
