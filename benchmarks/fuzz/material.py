"""Files and options that the commands of the target read: projects, labelled rows and odd values."""

import csv
import io
import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.fuzz.mutating import ODD, damage, text_of

ROOT = Path(__file__).parents[2]
LISTS = ("words", "tags")
PREDICTIONS = Path("data/predictions")


def roots(models: Path) -> list[Path]:
    """Return the directory of models, and the one with models of all kinds of tasks, if `make kinds` has made it."""
    kinds = models.parents[1] / ".cache/kinds/models" / models.name
    return [models, *([kinds] if kinds.is_dir() else [])]


def argument(rng: random.Random) -> str:
    """Return a text that the system would pass to a command."""
    text = text_of(rng).replace("\x00", "").encode("utf-8", "replace")
    return os.fsdecode(damage(text, rng, (1, 3)).replace(b"\x00", b"") if rng.random() < 0.1 else text)


def write_project(rng: random.Random, root: Path) -> None:
    """Write params.yaml, configs/ and the predictions of the last run, one of them damaged in a third of the cases."""
    shutil.copytree(ROOT / "configs", "configs")
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    if (root / PREDICTIONS).is_dir():
        shutil.copytree(root / PREDICTIONS, PREDICTIONS)
    if rng.random() < 0.3:
        files = [
            Path("params.yaml"),
            Path("configs/promotion.yaml"),
            *sorted(PREDICTIONS.glob("*")),
            *sorted(Path("configs/data").glob("*")),
        ]
        harmed = rng.choice(files)
        harmed.write_bytes(damage(harmed.read_bytes(), rng, (1, 3, 20)))


def options_of(rng: random.Random, choices: dict[str, list[str]]) -> list[str]:
    """Return some options, each with one of its values, and sometimes an odd value."""
    found = []
    for name, values in choices.items():
        if rng.random() < 0.3:
            found += [f"{name}={argument(rng)}" if rng.random() < 0.1 else f"{name}={rng.choice(values)}"]
    return found


def write_rows(rng: random.Random, most: int = 50) -> Path:
    """Write rows that have a cell for each kind of task, some of them odd, as a file that is sometimes damaged."""
    rows: list[dict[str, Any]] = []
    odd, ends = rng.choice([0, 0, 0.002, 0.01]), [".csv", ".tsv", ".txt", ".conll", ".json", ".parquet", ".JSONL", ""]
    for number in range(rng.choice([0, 1, most, most])):
        text = f"{text_of(rng)} {number} good"
        row = {
            "text": text,
            "question": text_of(rng),
            "label": rng.choice("ab"),
            "labels": rng.choice(["a,b", "a", ""]),
            "score": number % 5,
        }
        words = text.split()[:20] or ["x"]
        row |= {"words": words, "tags": [rng.choice(["O", "B-x", "I-x"]) for _ in words], "answer": rng.choice(["good", "", "missing"])}
        rows.append({name: rng.choice(ODD) if rng.random() < odd else value for name, value in row.items()})
    end = ".jsonl" if rng.random() < 0.5 else rng.choice(ends)
    if end in (".csv", ".tsv"):
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter="\t" if end == ".tsv" else ",")
        writer.writerows([list(rows[0]) if rows else ["text"], *([*map(str, row.values())] for row in rows)])
        content = stream.getvalue()
    elif end in (".txt", ".conll"):
        pairs = [zip(map(str, row["words"]), row["tags"], strict=False) for row in rows if all(isinstance(row[key], list) for key in LISTS)]
        content = "\n\n".join("\n".join(f"{word} {tag}" for word, tag in pair) for pair in pairs)
    else:
        content = "".join(json.dumps(row) + "\n" for row in rows)
    path = Path(f"rows{end}")
    path.write_bytes(damage(content.encode("utf-8", "replace"), rng))
    return path


def git(*arguments: str) -> None:
    """Run git in the working directory, without an identity or settings of the user."""
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x.example", *arguments], capture_output=True, check=False)
