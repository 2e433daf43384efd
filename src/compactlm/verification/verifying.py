"""Fingerprints of all artifacts, and their comparison with those of a git revision."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.verification.bounds import MACHINE
from compactlm.verification.comparing import DIFFERENT, Comparison, compare_sketches, compare_texts
from compactlm.verification.sketches import Sketch, sketch

FINGERPRINTS = Path("reports/fingerprints.json")
PIPELINE = Path("dvc.yaml")
CODE = "reports/code/"  # the fingerprints of code are compared by tests


def outputs() -> dict[str, list[tuple[str, bool]]]:
    """Return the outputs of each stage of dvc.yaml, and whether git has them."""
    stages = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))["stages"]
    found: dict[str, list[tuple[str, bool]]] = {}
    for stage, content in stages.items():
        listed = [entry for kind in ("outs", "metrics", "plots") for entry in content.get(kind, [])]
        found[stage] = [_output(entry) for entry in listed]
    return found


def _output(entry: str | dict[str, Any]) -> tuple[str, bool]:
    if isinstance(entry, str):
        return entry, False
    [(name, settings)] = entry.items()
    return name, (settings or {}).get("cache") is False


def files(path: Path) -> list[Path]:
    """Return a file, or the files below a directory, sorted by name."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file != artifacts.STUDENT / artifacts.STUDENT_CARD_NAME)


def fingerprints() -> dict[str, dict[str, Sketch]]:
    """Return the sketches of all artifacts that git does not have, by stage and path.

    Raises:
        FileNotFoundError: an output of a stage is missing.
    """
    found: dict[str, dict[str, Sketch]] = {}
    for stage, listed in outputs().items():
        for name, in_git in listed:
            if not in_git:
                found.setdefault(stage, {}).update({file.as_posix(): sketch(file) for file in _present(Path(name))})
    return found


def _present(path: Path) -> list[Path]:
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    return files(path)


def write_fingerprints() -> None:
    """Write the fingerprints to FINGERPRINTS: JSON with one line for each file, so that a diff is short."""
    lines = []
    for stage, sketches in fingerprints().items():
        entries = ",\n".join(f"    {json.dumps(path)}: {json.dumps(one, sort_keys=True)}" for path, one in sorted(sketches.items()))
        lines.append(f"  {json.dumps(stage)}: {{\n{entries}\n  }}")
    artifacts.write_text(FINGERPRINTS, "{\n" + ",\n".join(lines) + "\n}\n")


def verify(revision: str) -> dict[str, list[Comparison]]:
    """Compare the artifacts and figures of the working directory with those of a git revision, by stage.

    Raises:
        CompactLMError: there is no such revision, or it has no fingerprints.
    """
    text = _committed(revision, FINGERPRINTS.as_posix())
    if text is None:
        raise CompactLMError(f"the git revision {revision!r} has no {FINGERPRINTS}; name one that has, or run `dvc repro` and commit it")
    kept = json.loads(text)
    found: dict[str, list[Comparison]] = {}
    for stage, listed in outputs().items():
        compared = [*_artifacts(stage, kept.get(stage, {}))]
        for name, in_git in listed:
            if in_git and name != FINGERPRINTS.as_posix() and not name.startswith(CODE) and not MACHINE.search(name):
                compared.extend(_texts(revision, name))
        if compared:
            found[stage] = compared
    return found


def _artifacts(stage: str, kept: dict[str, Sketch]) -> Iterator[Comparison]:
    present = {file.as_posix() for name, in_git in outputs()[stage] if not in_git for file in files(Path(name))}
    for path in sorted({*kept, *present}):
        if path not in kept or path not in present:
            yield Comparison(path, DIFFERENT, math.inf, "it is missing here" if path in kept else "it is new")
        else:
            yield compare_sketches(path, stage, kept[path], sketch(Path(path)))


def _texts(revision: str, name: str) -> Iterator[Comparison]:
    listed = subprocess.run(["git", "ls-tree", "-r", "-z", "--name-only", revision, "--", name], capture_output=True, text=True, check=True)
    committed = set(filter(None, listed.stdout.split("\0")))
    for path in sorted({*committed, *(file.as_posix() for file in files(Path(name)))}):
        old = _committed(revision, path)
        if old is None or not Path(path).is_file():
            yield Comparison(path, DIFFERENT, math.inf, "it is new" if old is None else "it is missing here")
        else:
            yield compare_texts(path, old, Path(path).read_text(encoding="utf-8"))


def _committed(revision: str, path: str) -> str | None:
    """Return the content of a file in a revision, or None if it has no such file."""
    shown = subprocess.run(["git", "show", f"{revision}:{path}"], capture_output=True, check=False)
    if shown.returncode == 0:
        return shown.stdout.decode("utf-8")
    known = subprocess.run(["git", "rev-parse", "--quiet", "--verify", f"{revision}^{{commit}}"], capture_output=True, check=False)
    if known.returncode != 0:
        raise CompactLMError(f"the git revision {revision!r} does not exist; name a branch, a tag or a commit")
    return None
