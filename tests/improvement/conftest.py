"""A git and DVC repository with a model and a split, in which versions are compared without training."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from compactlm.artifacts import Document, write_documents, write_json
from compactlm.improvement.promotion import promoting
from tests.fixtures.builders import scattered_row

ROOT = Path(__file__).parents[2]
GOOD, BAD = "positive", "negative"


@dataclasses.dataclass(frozen=True)
class Answer:
    label: str


class WordModel:
    """Stands for a model: models/export/words.json lists the words that make a text positive."""

    def __init__(self, root: Path, **_: Any) -> None:
        self.words = set(json.loads((root / "words.json").read_text()))

    def classify_all(self, texts: Iterable[str], task: str) -> Iterator[Answer]:
        assert task == "sentiment"
        for text in texts:
            yield Answer(GOOD if self.words & set(text.split()) else BAD)


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


class Project:
    """The working directory: a repository in which DVC tracks data/split and models/export."""

    def __init__(self) -> None:
        from dvc.repo import Repo

        git("init", "--quiet", "--initial-branch", "main")
        for name, value in (("user.name", "t"), ("user.email", "t@localhost")):
            git("config", name, value)
        self.repo = Repo.init()
        Path("dvc.yaml").write_text("artifacts:\n  compactlm: {path: models/export, type: model}\n")
        Path("dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
        ignored = [line for line in (ROOT / ".gitignore").read_text().splitlines() if "/data/sources/" in line]
        Path(".gitignore").write_text("\n".join([*ignored, ".cache/", ""]))
        shutil.copytree(ROOT / "configs", "configs")
        shutil.copyfile(ROOT / "params.yaml", "params.yaml")
        Path("configs/promotion.yaml").write_text(Path("configs/promotion.yaml").read_text().replace("rows: 100", "rows: 40"))
        metrics = {"tasks": {"sentiment": {"teacher": 0.9, "student": 0.8, "chance": 0.5}}}
        write_json(Path("reports/metrics/evaluate.json"), metrics)

    def train(self, words: Sequence[str], train: Sequence[Document], test: Sequence[Document]) -> None:
        """Write a model and its split as if the pipeline had run, and commit them."""
        for name, rows in (("train", train), ("validation", [scattered_row("v", "of no use")]), ("test", test)):
            shutil.rmtree(f"data/split/{name}", ignore_errors=True)
            write_documents(Path("data/split") / name, rows)
        write_json(Path("models/export/words.json"), sorted(words))
        for path in ("data/split", "models/export"):
            self.repo.add(path)
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "--message", "Train")


def rows(word: str, label: str, count: int, source: str = "movie_reviews") -> list[Document]:
    return [scattered_row(f"{word}{number}", f"{word} {source} number {number}", source, label) for number in range(count)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in the working directory; models are WordModels."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(promoting, "CompactLM", WordModel)
    return Project()
