"""Run `dvc repro` and its stages in forks of this process, which has imported all libraries, so that a stage takes a second and not ten.

The processes are as in a real run: DVC is a process with a group of its own, each stage is a child of it, and worker processes are
children of the stage. `cold` runs start from the shell instead.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import runpy
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import psutil

STAGES = "compactlm.stages."
MODULE = f"python -m {STAGES}"


def preload(names: Path) -> None:
    """Import the modules that an earlier run has recorded."""
    for name in names.read_text(encoding="utf-8").split():
        if not name.startswith("__") and name not in sys.modules:
            with contextlib.suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module(name)


class Run:
    """A run of `dvc repro`, or of another function, in a process group of its own."""

    def __init__(self, directory: Path, name: str) -> None:
        """Write output and events to files in `directory`."""
        self.output, self.events = directory / f"{name}.log", directory / f"{name}.events"
        for path in (self.output, self.events):
            path.write_text("", encoding="utf-8")
        self.pid = 0
        self._status: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def fork(self, function: Callable[[], object]) -> Run:
        """Run a function in a fork. Its output and, if it raises, its traceback go to the file."""
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            os.setsid()
            _child(function, self.output)
        return self

    def repro(self, arguments: list[str], modules: Path | None = None) -> Run:
        """Run `dvc repro` in a fork, and its stages in forks of it. The names of all imported modules are added to `modules`."""
        return self.fork(lambda: _dvc(arguments, self.events, modules))

    def stage(self, name: str) -> Run:
        """Run a single stage in a fork, without DVC."""
        return self.fork(lambda: _run_stage(f"{MODULE}{name.replace('-', '_')}", dict(os.environ), None))

    def cold(self, command: list[str], variables: Mapping[str, str] | None = None) -> Run:
        """Run a command as from a shell, with these additional variables."""
        environment = {**os.environ, **(variables or {})}
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
            )
        self.pid = self._process.pid
        return self

    def ended(self) -> bool:
        """Say whether the first process has ended."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
                if self._process is not None:
                    self._process.returncode = self._status
        return self._status is not None

    def wait(self, seconds: float = 3600) -> int:
        """Wait for the end and return the exit status. A run that lasts longer is killed, and gives 124."""
        deadline = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() > deadline:
                self.signal(signal.SIGKILL)
                os.waitpid(self.pid, 0)
                self._status = 124
            time.sleep(0.01)
        return self._status if self._status is not None else 124

    def signal(self, number: int) -> None:
        """Send a signal to all processes of the group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def others(self) -> list[psutil.Process]:
        """Return the stage and its workers."""
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self.pid).children(recursive=True)
        return []

    def started(self) -> list[str]:
        """Return the stages that have started, in order."""
        if self._process is not None:
            lines = self.output.read_text(encoding="utf-8", errors="replace").splitlines()
            return [_stage(line[2:]) for line in lines if line.startswith(f"> {MODULE}")]
        return self.events.read_text(encoding="utf-8").split()

    def text(self) -> str:
        """Return the output so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")


def _stage(command: str) -> str:
    return command.removeprefix(MODULE).split()[0].replace("_", "-")


def _child(function: Callable[[], object], output: Path) -> NoReturn:
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdout, sys.stderr = open(1, "w", closefd=False, buffering=1), open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
        found = function()
        status = found if isinstance(found, int) else 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1 if error.code else 0
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - as the interpreter ends a process
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _dvc(arguments: list[str], events: Path, modules: Path | None) -> int:
    import dvc.stage.run
    from dvc.cli import main
    from dvc.stage.exceptions import StageCmdFailedError

    def run(_: str, command: str, **settings: object) -> None:
        with events.open("a", encoding="utf-8") as file:
            file.write(f"{_stage(command)}\n")
        environment = settings["env"]
        pid = os.fork()
        if not pid:
            _run_stage(command, environment, modules)  # type: ignore[arg-type]
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code:
            raise StageCmdFailedError(command, code)

    dvc.stage.run._run = run
    status = int(main(arguments))
    _record(modules)
    return status


def _run_stage(command: str, environment: dict[str, str], modules: Path | None) -> NoReturn:
    os.environ.clear()
    os.environ.update(environment)
    module = command.removeprefix("python -m ")
    sys.argv = [module]

    def run() -> None:
        sys.modules.pop(module, None)
        runpy.run_module(module, run_name="__main__", alter_sys=True)

    status = 1
    try:
        run()
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1 if error.code else 0
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - as the interpreter ends a process
        traceback.print_exc()
    finally:
        _record(modules)
        _end_workers()
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _end_workers() -> None:
    """End worker processes as the interpreter does before it ends."""
    from concurrent.futures import process
    from multiprocessing import util

    with contextlib.suppress(Exception):
        process._python_exit()
        util._exit_function()


def _record(modules: Path | None) -> None:
    if modules is not None:
        with modules.open("a", encoding="utf-8") as file:
            # Modules of stages are run by name, so they are not imported before.
            file.write("".join(f"{name}\n" for name in list(sys.modules) if not name.startswith(STAGES)))
