"""Run the cases of a target in a child process, and tell the findings: tracebacks, unreadable sentences, crashes and hangs."""

import contextlib
import dataclasses
import faulthandler
import json
import os
import random
import re
import resource
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from compactlm.errors import CompactLMError

CASES = 300  # of one child; then a fresh one starts, so that memory cannot grow without end
SECONDS = 60  # of processor time for one case; more is a hang
WAITING = 1_200  # seconds for one case on a busy machine; more is a hang, too
MEMORY = 16 * 2**30  # bytes of address space of a child

# A case draws its input from the generator, writes its files below the directory, and uses the models. It returns how the input was
# taken, such as "answered" or the start of the sentence that refuses it, and raises any other error for a finding.
Case = Callable[[random.Random, Path, Path], str]


@dataclasses.dataclass
class Tally:
    """What the cases of a target came to.

    Attributes:
        seconds: the time that they took.
        ends: the number of cases by their result.
        findings: seed and description of each finding.
    """

    seconds: float = 0.0
    ends: Counter[str] = dataclasses.field(default_factory=Counter)
    findings: list[tuple[int, str]] = dataclasses.field(default_factory=list)

    @property
    def cases(self) -> int:
        """The number of cases."""
        return self.ends.total() + len(self.findings)


def check_sentence(sentence: str) -> None:
    """Raise AssertionError if a message is not one readable sentence."""
    assert sentence.isprintable() and 0 < len(sentence) <= 1_000, f"this is not a readable sentence: {sentence!r}"  # noqa: PT018


def refusal(error: CompactLMError, directory: Path) -> str:
    """Return the start of a message, without the names and numbers of the case; it has to be one sentence."""
    sentence = str(error)
    check_sentence(sentence)
    return re.sub(r"\d+", "N", sentence.replace(str(directory), "."))[:60]


def fuzz(name: str, case: Case, models: Path, first: int, keep_on: Callable[[int], bool], kept: Path) -> Tally:
    """Run the cases with the seeds from `first` on while `keep_on(number of cases)` is true.

    The files of a finding are copied to a directory of `kept` that has the names of the target and the seed.
    """
    tally, start, seed = Tally(), time.monotonic(), first
    while keep_on(seed - first):
        with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as scratch:
            seed = _run_child(case, models, seed, lambda number: keep_on(number - first), Path(scratch), tally, kept / name)
    tally.seconds = time.monotonic() - start
    return tally


def _run_child(case: Case, models: Path, seed: int, keep_on: Callable[[int], bool], scratch: Path, tally: Tally, kept: Path) -> int:
    """Run cases in a child until it ends, add them to the tally, and return the seed of the next case."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with contextlib.suppress(BaseException):
            _run_cases(case, models, seed, keep_on, scratch, writing)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as events:
        for event in events:
            found = json.loads(event)
            seed = found["seed"] + 1
            if found["finding"] is None:
                tally.ends[found["end"]] += 1
            else:
                _keep(found["seed"], found["finding"], scratch, tally, kept)
            os.kill(child, signal.SIGUSR1)  # the files are copied, so the next case may begin
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        how = (
            "took too long"
            if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM)
            else f"ended by {signal.Signals(os.WTERMSIG(status)).name}"
        )
        _keep(seed, how, scratch, tally, kept)
        return seed + 1
    return seed


def _run_cases(case: Case, models: Path, first: int, keep_on: Callable[[int], bool], scratch: Path, writing: int) -> None:
    faulthandler.disable()  # the parent tells of a crash
    os.environ.update(COMPACTLM_CACHE=str(scratch / "cache"), COMPACTLM_MODEL=str(models), TOKENIZERS_PARALLELISM="false")
    os.environ.update(GIT_CEILING_DIRECTORIES=str(scratch), GIT_CONFIG_GLOBAL=os.devnull)  # git finds no repository but that of a case
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    silent = os.open(scratch / "output.txt", os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(silent, stream)  # libraries write there
    for seed in range(first, first + CASES):
        if not keep_on(seed):
            return
        shutil.rmtree(scratch / "case", ignore_errors=True)
        (scratch / "case").mkdir()
        os.chdir(scratch / "case")  # what a case writes to its working directory stays there
        used = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + SECONDS, resource.RLIM_INFINITY))
        signal.alarm(WAITING)
        end, finding = "", None
        try:
            end = case(random.Random(seed), scratch / "case", models)
        except BaseException:  # noqa: BLE001 - any error is a finding; panics of Rust are no subclasses of Exception
            finding = traceback.format_exc(limit=-6)
        os.write(writing, (json.dumps({"seed": seed, "end": end, "finding": finding}) + "\n").encode())
        signal.sigwait([signal.SIGUSR1])


def _keep(seed: int, finding: str, scratch: Path, tally: Tally, kept: Path) -> None:
    tally.findings.append((seed, finding))
    target = kept / str(seed)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(scratch / "case", target, dirs_exist_ok=True)
    (target / "finding.txt").write_text(finding, encoding="utf-8")
