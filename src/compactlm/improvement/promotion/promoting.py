"""Compare the model of the working directory with the version in use. It is promoted if no line of the table refuses it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status
from compactlm.improvement.promotion.compared_rows import ComparedRows, choose_rows
from compactlm.improvement.promotion.comparing import Answered, Compared, Line, compare
from compactlm.improvement.promotion.settings import Promotion
from compactlm.improvement.registry import ARTIFACT, Registry, Version, fetch, git
from compactlm.inference.api import CompactLM
from compactlm.params import Params
from compactlm.pipeline.lock import read_stages

KIND = "classification"
WATCHED = ("models/export", "data/split")  # outputs that must be those of the commit
USED = ("evaluate", "export")  # stages whose results a version's tag names


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The table and the decision.

    Attributes:
        champion: the version in use.
        lines: the lines of all tasks.
        rows: the compared rows by task.
        answered: the answers by task.
    """

    champion: Version
    lines: Sequence[Line]
    rows: Mapping[str, ComparedRows]
    answered: Mapping[str, Answered]

    @property
    def refusing(self) -> list[Line]:
        """The lines that refuse the promotion, violated ones first."""
        return sorted((line for line in self.lines if line.refuses), key=lambda line: line.refuses is not Status.VIOLATED)

    @property
    def status(self) -> int:
        """0: promoted; 1: refused because a limit is violated; 2: refused because a line is undecided."""
        return int(self.refusing[0].refuses or 0) if self.refusing else 0


def judge(params: Params, settings: Promotion, champion: Version) -> Verdict:
    """Let both versions answer the same rows, and return the table.

    Raises:
        CompactLMError: a task is not a classification, or files of one of the versions are missing.
    """
    others = [name for name, task in params.tasks.items() if task.kind != KIND]
    if others:
        raise CompactLMError(f"promotion compares tasks of the kind {KIND}, and {others[0]} is of another; register it with `gto register`")
    before = fetch(champion, artifacts.SPLIT)
    models = {"champion": fetch(champion, artifacts.EXPORT), "challenger": artifacts.EXPORT}
    try:
        rows = choose_rows(before, artifacts.SPLIT, params.tasks)
        train: list[str] = artifacts.read_table(artifacts.SPLIT / "train")["text"].to_pylist()
    except FileNotFoundError as error:
        raise CompactLMError(f"{error.filename} is missing; run `dvc repro` first") from None
    answered = {task: _answer(task, one, models, params.threads) for task, one in rows.items()}
    resampler = Resampler.of(params.bootstrap, params.seed)
    lines: list[Line] = []
    for task, one in answered.items():
        protected = {name: params.bias_audit.attributes[name] for name in params.bias_audit.protected.get(task, [])}
        lines += compare(task, one, Compared(params.evaluate.slices, train, protected), settings, resampler)
    return Verdict(champion, lines, rows, answered)


def _labels(lm: CompactLM, texts: Sequence[str], task: str) -> list[str]:
    return [one.label for one in lm.classify_all(texts, task)]  # type: ignore[union-attr]


def _answer(task: str, rows: ComparedRows, models: Mapping[str, Path], threads: int) -> Answered:
    listed = [*rows.old, *rows.new]
    texts = [row.text for row in listed]
    found = {role: _labels(CompactLM(path, backend="onnx", threads=threads), texts, task) for role, path in models.items()}
    is_new = np.arange(len(listed)) >= len(rows.old)
    return Answered(listed, is_new, found["champion"], found["challenger"])


def choose_champion(registry: Registry, settings: Promotion, first: bool) -> Version | None:
    """Return the version in use, or None for the first version.

    Raises:
        CompactLMError: no version is in use and `first` is false, or a version is in use and `first` is true.
    """
    champion = registry.champion(settings.stage)
    if champion is None and not first:
        raise CompactLMError(
            f"no version of {ARTIFACT} holds the stage {settings.stage}; fetch tags with `git fetch --tags`, or pass --first to "
            "register this model without a comparison"
        )
    if champion is not None and first:
        raise CompactLMError(f"{champion.tag} holds the stage {settings.stage}, so this is not the first version; leave out --first")
    return champion


def check_committed(registry: Registry) -> None:
    """Raise CompactLMError if the model does not belong to the present commit, or if the commit already has a version."""
    changed = git("status", "--porcelain", "--untracked-files=no").splitlines()
    if changed:
        raise CompactLMError(
            f"{changed[0][3:]} is not committed, and a version is a commit; run `git commit --all`, then run the command again"
        )
    for path in _changed_outputs():
        raise CompactLMError(f"{path} is not that of this commit; run `dvc repro` or `dvc checkout`, and commit dvc.lock")
    _check_current()
    head = git("rev-parse", "HEAD").strip()
    for version in registry.versions:
        if version.commit == head:
            raise CompactLMError(
                f"this commit is {version.tag} already; train and commit a new model, or assign it with `compactlm rollback`"
            )


def _changed_outputs() -> list[str]:
    """Return the outputs of WATCHED that are missing, or are not those of dvc.lock."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            outputs = [(path, out) for path in WATCHED for out in repo.find_outs_by_path(path)]
            return [path for path, out in outputs if not out.exists or out.changed_checksum()]
    except DvcException as error:
        raise CompactLMError(f"DVC cannot read the outputs of this commit ({error}); run it in the directory of dvc.yaml") from None


def _check_current() -> None:
    """Raise CompactLMError if a stage of USED has read another model than the one in dvc.lock, for example after `dvc repro export`."""
    stages = read_stages()
    present = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", []) if "md5" in out}
    for name in USED:
        for dep in stages.get(name, {}).get("deps", []):
            if dep["path"].startswith("models/") and present.get(dep["path"], dep["md5"]) != dep["md5"]:
                raise CompactLMError(
                    f"the stage {name} has not run on this {dep['path']}; run `dvc repro`, and commit dvc.lock and reports"
                )


def facts(params: Params) -> dict[str, Any]:
    """Return the content of a version's tag: the headline metrics of each task, and the hashes of data and models."""
    metrics = artifacts.read_json(artifacts.METRICS / "evaluate.json")["tasks"]
    hashes = {
        out["path"]: out["md5"]
        for stage in read_stages().values()
        for out in stage.get("outs", [])
        if out["path"].startswith(("data", "models"))
    }
    headline = {task: {name: metrics[task][name] for name in ("teacher", "student", "chance")} for task in params.tasks}
    return {"preset": params.preset, "seed": params.seed, "metrics": headline, "md5": hashes}
