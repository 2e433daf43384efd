"""Rounds of the torture: some faults strike a pipeline, then an undisturbed `dvc repro` has to give the bytes of the reference."""

from __future__ import annotations

import random
import re
import shutil
import time
from pathlib import Path

import yaml

from benchmarks.torture import damage
from benchmarks.torture.place import BY_TIME, Place
from benchmarks.torture.strike import KINDS, Kind, Striker
from benchmarks.torture.tally import Fault, Tally
from benchmarks.torture.warm import Run
from compactlm.artifacts import read_json, write_json

QUESTION = "did the dog play?"
FEWEST, FAULTS = 12, 36  # of a round
MISSES = 5  # runs of a round that end before their fault
LAST = "distill-train"  # of most rounds; the stages after it take longer than all before it
ASKED = 6  # times that the index is damaged in a round of all stages
WHOLE_EVERY = 10  # one round of so many runs all stages
BY_TIME_TOO = ("report", "fingerprint")  # their outputs hold timings
DELETED = re.compile(r"(?:remove|delete) ([\w./-]+)")


def _index(place: Place) -> list[str]:
    """Answer a question from an index of the rows; return the answer's fields."""
    from compactlm import CompactLM

    found = CompactLM(place.project / "models/export", threads=1).knowledge(
        place.project / ".cache/notes.txt", place.project / damage.INDEX
    )
    answer = found.answer(QUESTION, -1.0)
    return [str(answer.text), f"{answer.score:.6f}", str(answer.line)]


def ask(place: Place, name: str) -> tuple[list[str], str]:
    """Ask in a process of its own; return the answer and what the process printed."""
    result = place.home / "answer.json"
    result.unlink(missing_ok=True)
    texts = [f"{subject} note {row}.\n" for row, subject in enumerate(("the dog", "a film", "the river") * 20)]
    (place.project / ".cache").mkdir(exist_ok=True)
    (place.project / ".cache/notes.txt").write_text("\n".join(texts), encoding="utf-8")
    run = Run(place.logs, f"{name}-ask").fork(lambda: write_json(result, _index(place)))
    run.wait(600)
    return (read_json(result) if result.is_file() else []), run.text()


def finish_timed(place: Place, name: str) -> str:
    """Write report and fingerprints once more with the timings of the undisturbed run, and return what went wrong."""
    timings = place.reference / BY_TIME
    for path in sorted(timings.iterdir()) if timings.is_dir() else []:
        shutil.copy2(path, place.project / BY_TIME / path.name)
    for stage in BY_TIME_TOO:
        run = Run(place.logs, f"{name}-{stage}").stage(stage)
        if run.wait():
            return f"{stage} with equal timings failed: {run.text()[-400:]}"
    return ""


class Round:
    """One round, whose faults follow from the seed and its number."""

    def __init__(self, place: Place, tally: Tally, seconds: dict[str, float], expected: dict[str, str], answer: list[str]) -> None:
        """Take the seconds of each stage, the sha256 of each file of the reference, and its answer."""
        self.place, self.tally, self.answer = place, tally, answer
        self.whole = tally.rounds % WHOLE_EVERY == WHOLE_EVERY - 1
        names = place.stages()
        self.stages = names if self.whole else names[: names.index(LAST) + 1]
        self.expected = {name: digest for name, digest in expected.items() if damage.owner(place, Path(name)) in self.stages}
        self.rng = random.Random(f"{tally.seed}/{tally.rounds}")
        self.striker = Striker(place, self.rng, seconds, f"round-{tally.rounds:04d}", None if self.whole else LAST)
        self.faults: list[Fault] = []
        self.sentences: list[str] = []
        self.problems: list[str] = []
        self.blamed = ""

    def run(self, cold: bool) -> None:
        """Run the round and add it to the tally."""
        started = time.monotonic()
        self._begin()
        wanted = self.rng.randrange(FEWEST, FAULTS + 1)
        misses = 0
        while len(self.faults) < wanted and misses < MISSES and not self.problems:
            self._harm()
            struck = self.striker.strike(self._kind(), cold=cold)
            if struck is None:  # all stages had ended
                misses += 1
                self._rewind()
                continue
            self.faults += struck.faults
            self._read(struck.text, struck.status)
        self.place.set_clock("+0")
        self._recover()
        if not self.problems:
            self._compare()
        self.tally.add(self.faults, self.problems, self.blamed or "dvc", self.sentences, (time.monotonic() - started) / 60)

    def _begin(self) -> None:
        fresh = self.rng.random() < 0.5
        self.place.restore(fresh)
        params = yaml.safe_load((self.place.project / "params.yaml").read_text(encoding="utf-8"))
        # The report prints all parameters, so that its rounds keep this one.
        params["data"]["processes"] = None if self.whole else self.rng.choice((1, 1, 2))
        (self.place.project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        if not fresh:
            self._rewind()

    def _rewind(self) -> None:
        """Let DVC forget a stage and those after it, so that the next run has work to do."""
        lock = self.place.project / "dvc.lock"
        content = yaml.safe_load(lock.read_text(encoding="utf-8")) if lock.is_file() else None
        if not content:  # no stage has ended yet, or a kill emptied the file
            return
        kept = self.place.stages()[: self.rng.randrange(len(self.stages))]
        content["stages"] = {name: content["stages"][name] for name in kept if name in content["stages"]}
        lock.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        shutil.rmtree(self.place.project / ".dvc/cache/runs", ignore_errors=True)

    def _kind(self) -> Kind:
        possible = {kind: weight for kind, weight in KINDS.items() if self._possible(kind)}
        return self.rng.choices(list(possible), list(possible.values()))[0]

    def _possible(self, kind: Kind) -> bool:
        if kind == "clock":
            return self.place.clock_library() is not None
        return self.place.small or kind not in ("full disk", "read-only cache")

    def _harm(self) -> None:
        """Damage some files between two runs."""
        for _ in range(self.rng.choice((0, 1, 1, 2, 3, 4))):
            kind = self.rng.choice([kind for kind in damage.KINDS if kind not in ("index", "cache of DVC")])
            found = damage.candidates(self.place, kind)
            if found:
                path = self.rng.choice(found)
                how = damage.harm(self.place, self.rng, path)
                self.faults.append(Fault(f"{kind} {how}", damage.owner(self.place, path)))

    def _read(self, text: str, status: int) -> None:
        """Keep the sentences of a failed run, and tell a traceback of ours."""
        if status == 124:
            self._tell("a run did not end", self.faults[-1].stage)
        if "Traceback (most recent call last)" in text and "src/compactlm/" in text and self.faults[-1].kind != "interrupt group":
            self._tell(f"a traceback: {' '.join(text.strip().splitlines()[-6:])[-600:]}", self.faults[-1].stage)
        self.sentences += [line for line in text.splitlines() if re.match(r"(ERROR: )?[a-z-]+: [a-z]", line)][:2]

    def _recover(self) -> None:
        """Run `dvc repro` undisturbed. Where it says what to delete, delete it and run again."""
        for _ in range(4):
            run = self.striker.start()
            status = run.wait()
            if not status:
                return
            text = run.text()
            told = [Path(name.rstrip(".")) for name in DELETED.findall(text)]
            present = [self.place.project / path for path in told if (self.place.project / path).exists() and not path.is_absolute()]
            if not present:
                self._tell(f"`dvc repro` ended with status {status}: {' '.join(text.strip().splitlines()[-4:])[-600:]}", _last(run))
                return
            self.sentences += [line for line in text.splitlines() if DELETED.search(line)][:1]
            for path in present:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._tell("`dvc repro` did not end well after it said three times what to delete", _last(run))

    def _compare(self) -> None:
        wrong = finish_timed(self.place, self.striker.name) if self.whole else ""
        if wrong:
            self._tell(wrong, "report")
            return
        found = self.place.hashes(self.place.project, self.stages)
        for name in sorted(found.keys() | self.expected.keys()):
            if found.get(name) != self.expected.get(name):
                what = "is missing" if name not in found else "is new" if name not in self.expected else "has other bytes"
                self._tell(f"{name} {what}", damage.owner(self.place, Path(name)))
        for _ in range(ASKED if self.whole else 0):
            self._ask()

    def _ask(self) -> None:
        """Build the index of answers, damage it, and ask again."""
        ask(self.place, self.striker.name)
        found = damage.candidates(self.place, "index")
        for path in self.rng.sample(found, k=min(len(found), self.rng.choice((0, 1, 1, 2)))):
            self.faults.append(Fault(f"index {damage.harm(self.place, self.rng, path)}", "answer"))
        answer, text = ask(self.place, self.striker.name)
        if answer != self.answer:
            self._tell(f"the answer is {answer} instead of {self.answer}: {text[-300:]}", "answer")

    def _tell(self, problem: str, stage: str) -> None:
        self.problems.append(problem)
        self.blamed = self.blamed or stage
        kept = self.place.findings / self.striker.name
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "problems.txt").write_text("\n".join([*map(str, self.faults), *self.problems]) + "\n", encoding="utf-8")
        for log in sorted(self.place.logs.glob(f"{self.striker.name}*")):
            shutil.copy2(log, kept / log.name)
        named = self.place.project / problem.split(" ", maxsplit=1)[0]
        if named.is_file():
            shutil.copy2(named, kept / named.name)


def _last(run: Run) -> str:
    return run.started()[-1] if run.started() else "dvc"
