"""Run rounds in the project of a place: `python -m benchmarks.torture.session HOME REPORT ...`, in the project's directory."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.torture.material import write_project, write_wheel
from benchmarks.torture.place import Place
from benchmarks.torture.rounds import Round, ask
from benchmarks.torture.tally import Tally
from benchmarks.torture.warm import Run, preload
from compactlm.artifacts import read_json, write_json

COLD_EVERY = 12  # one round of so many starts all processes from the shell


def undisturbed(place: Place, name: str) -> dict[str, float]:
    """Run the whole pipeline without a fault; return the seconds of each stage."""
    place.restore(fresh=True)
    started = time.monotonic()
    run = Run(place.logs, name).repro(["repro"], place.modules)
    begun: dict[str, float] = {}
    while not run.ended():
        for stage in run.started():
            begun.setdefault(stage, time.monotonic())
        time.sleep(0.01)
    if run.wait():
        sys.exit(f"torture: the undisturbed run failed; see {run.output}")
    ends = [*list(begun.values())[1:], time.monotonic()]
    print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)
    return {stage: end - start for (stage, start), end in zip(begun.items(), ends, strict=True)}


def reference(place: Place) -> tuple[dict[str, float], dict[str, str], list[str]]:
    """Make the reference, an undisturbed run, unless there is one.

    Returns:
        The seconds of each stage, the sha256 of each file, and the answer to a question.
    """
    kept = place.home / "reference.json"
    write_project(write_wheel(place.wheels))
    if kept.is_file() and place.reference.is_dir():
        preload(place.modules)
        content = read_json(kept)
        return content["seconds"], content["files"], content["answer"]
    kept.unlink(missing_ok=True)
    place.modules.write_text("", encoding="utf-8")
    seconds = undisturbed(place, "undisturbed")
    place.keep_reference()
    preload(place.modules)
    expected = place.hashes(place.project, place.stages())
    answer, text = ask(place, "undisturbed")
    if not answer:
        sys.exit(f"torture: the undisturbed run gives no answer: {text}")
    write_json(kept, {"seconds": seconds, "files": expected, "answer": answer})
    return seconds, expected, answer


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="torture")
    parser.add_argument("home", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("commit")
    parser.add_argument("--faults", type=int, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    chosen = parser.parse_args()
    place = Place(chosen.home)
    place.set_clock("+0")
    tally = Tally(chosen.report, chosen.seed)
    tally.commits = list(dict.fromkeys([*tally.commits, chosen.commit]))
    tally.skipped = []
    if not place.small:
        tally.skipped.append("a full disk and a read-only cache: this system does not allow to mount a small disk")
    if place.clock_library() is None:
        tally.skipped.append("a clock that jumps: libfaketime is not installed")
    for sentence in tally.skipped:
        print(f"torture: skipped {sentence}", flush=True)
    seconds, expected, answer = reference(place)
    print(", ".join(f"{stage} {taken:.1f} s" for stage, taken in seconds.items()), flush=True)
    deadline = time.monotonic() + 60 * chosen.minutes
    while sum(tally.faults.values()) < chosen.faults and time.monotonic() < deadline:
        current = Round(place, tally, seconds, expected, answer)
        current.run(cold=tally.rounds % COLD_EVERY == COLD_EVERY - 1)
        tally.write()
        said = f"; {current.problems[0][:200]}" if current.problems else ""
        total, different = sum(tally.faults.values()), sum(tally.differences.values())
        print(f"round {tally.rounds}: {len(current.faults)} faults, {total} in all, {different} differences{said}", flush=True)
    sys.exit(1 if tally.differences else 0)


if __name__ == "__main__":
    main()
