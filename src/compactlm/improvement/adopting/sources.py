"""The files of adopted rows: rows in data/sources, which DVC tracks, and their description in configs/.

A task has two sources: `adopted_TASK`, whose rows are train rows, and `held_out_TASK`, whose rows are in the test set.
configs/adopted/rows.yaml adds them to the task, and params.yaml is composed from this file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from compactlm import artifacts
from compactlm.corpus.duplicates.placing import duplicate_key
from compactlm.corpus.ingest.records import row_id
from compactlm.errors import CompactLMError
from compactlm.text.formats.lines import read_objects

DATA, CONFIGS = Path("data/sources"), Path("configs/sources")
GROUP = Path("configs/adopted/rows.yaml")
SPLIT_OF = {"adopted": "train", "held_out": "test"}  # by the beginning of a source's name
HEAD = "# @package _global_\n# Sources with rows that `compactlm adopt` has added; the command writes this file.\n"


@dataclasses.dataclass(frozen=True, slots=True)
class Adopted:
    """An adopted row: its id in labelled files, its text and label, and the way in which `pick` chose it."""

    id: str
    text: str
    label: str
    picked_by: str | None = None


def source_name(kind: str, task: str) -> str:
    """Return the name of a task's source; `kind` is a key of SPLIT_OF."""
    return f"{kind}_{task}"


def data_path(source: str) -> Path:
    """Return the file with the rows of a source."""
    return DATA / f"{source}.jsonl"


def corpus_id(source: str, text: str) -> str:
    """Return the id of a row in data/raw and in all later artifacts."""
    return row_id(source, None, text, 0)


def text_id(text: str) -> str:
    """Return an id of a text's letters and digits, by which configs/sources/removed.txt recognises the text in other rows."""
    return row_id("", None, duplicate_key(text), 0)


def read_source(source: str) -> list[Adopted]:
    """Return the rows of a source; nothing without a file.

    Raises:
        CompactLMError: DVC knows the file, but it is missing.
    """
    path = data_path(source)
    if not path.is_file():
        if Path(f"{path}.dvc").is_file():
            raise CompactLMError(f"{path} is missing; run `dvc checkout {path}`, or `dvc pull {path}.dvc` to fetch it")
        return []
    found = (row for _, row in read_objects(str(path)))
    return [Adopted(row["id"], row["text"], row["label"], row.get("picked_by")) for row in found]


def write_source(source: str, rows: Iterable[Adopted]) -> None:
    """Write the sorted rows of a source, track them by DVC, and describe them in configs/sources. Without rows, remove these files.

    Raises:
        CompactLMError: DVC cannot track the file.
    """
    path, description = data_path(source), CONFIGS / f"{source}.yaml"
    listed = sorted(rows, key=lambda row: row.id)
    if not listed:
        for old in (path, Path(f"{path}.dvc"), description):
            old.unlink(missing_ok=True)
        return
    lines = (json.dumps(dataclasses.asdict(row), ensure_ascii=False, sort_keys=True) + "\n" for row in listed)
    artifacts.write_text(path, "".join(lines))
    done = subprocess.run([sys.executable, "-m", "dvc", "add", "--quiet", str(path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise CompactLMError(f"DVC cannot track {path} ({last[:200]}); fix that and run the command again")
    content = {
        "kind": "files",
        "path": path.as_posix(),
        "sha256": artifacts.file_sha256(path),
        "columns": {"text": "text", "label": "label"},
    }
    head = f"# {len(listed):,} rows that `compactlm adopt` has added; the command writes this file.\n"
    artifacts.write_text(description, head + yaml.safe_dump(content, sort_keys=False))


def read_group() -> dict[str, Any]:
    """Return the content of configs/adopted/rows.yaml."""
    return (yaml.safe_load(GROUP.read_text(encoding="utf-8")) if GROUP.is_file() else None) or {}


def read_weights(tasks: Iterable[str]) -> dict[str, float]:
    """Return the weight of the adopted rows of each task, if it is not 1."""
    found = read_group().get("split", {}).get("weights", {})
    return {task: found[name] for task in tasks if (name := source_name("adopted", task)) in found}


def write_group(tasks: Mapping[str, list[str]], weights: Mapping[str, float]) -> None:
    """Write configs/adopted/rows.yaml, which adds the sources of adopted rows that have rows to each task's other sources.

    Args:
        tasks: for each task with adopted rows, the names of its other sources.
        weights: the weight of the adopted rows of a task; the default is 1.
    """
    content: dict[str, Any] = {}
    for task, others in sorted(tasks.items()):
        own = [name for kind in SPLIT_OF if data_path(name := source_name(kind, task)).is_file()]
        if not own:
            continue
        content.setdefault("tasks", {})[task] = {"sources": [*others, *own]}
        for name in own:
            content.setdefault("split", {}).setdefault("sources", {})[name] = SPLIT_OF[name.removesuffix(f"_{task}")]
            content.setdefault("ingest", {}).setdefault("sources", {})[name] = {"file": (CONFIGS / f"{name}.yaml").as_posix()}
            if SPLIT_OF[name.removesuffix(f"_{task}")] == "train" and weights.get(task, 1.0) != 1:
                content["split"].setdefault("weights", {})[name] = weights[task]
    artifacts.write_text(GROUP, HEAD + yaml.safe_dump(content, sort_keys=False))


def other_sources(sources: Iterable[str], task: str) -> list[str]:
    """Return the sources of a task, except those with adopted rows."""
    own = {source_name(kind, task) for kind in SPLIT_OF}
    return [name for name in sources if name not in own]


@contextlib.contextmanager
def restoring(*more: Path) -> Iterator[None]:
    """Restore the files of all adopted rows, and further files, if the block fails."""
    folders = ((DATA, "*.jsonl"), (DATA, "*.dvc"), (CONFIGS, "*"), (GROUP.parent, "*.yaml"))
    paths = {path for folder, pattern in folders for path in folder.glob(pattern) if path.is_file()} | {
        one for one in more if one.is_file()
    }
    before = {path: path.read_bytes() for path in paths}
    try:
        yield
    except BaseException:
        for folder, pattern in folders:
            for path in folder.glob(pattern):
                if path.is_file() and path not in before:
                    path.unlink()
        for path, content in before.items():
            path.write_bytes(content)
        raise
