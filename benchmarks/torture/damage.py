"""Files that a crash can damage, and how: artifacts, checkpoints, the cache of signals, archives, DVC's cache and the index of answers."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from pathlib import Path

import yaml

from benchmarks.torture.place import Place

INDEX = ".cache/index"
SHARDS = "data/shards"
CHECKPOINTS = "models/checkpoints"


def owner(place: Place, path: Path) -> str:
    """Return the stage that writes a file, by its path in the project; `answer` for the index, `dvc` for files of no stage."""
    name = str(path)
    for prefix in (SHARDS, CHECKPOINTS):
        if name.startswith(f"{prefix}/"):
            return name.split("/")[2]
    if name.startswith(INDEX):
        return "answer"
    if name.startswith(".cache/downloads"):
        return "ingest"
    if name.startswith(".dvc/cache"):
        return _of_object(place, path)
    stages = yaml.safe_load((place.project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return next((stage for stage in stages for output in place.outputs(stage) if path == output or output in path.parents), "dvc")


def _of_object(place: Place, path: Path) -> str:
    """Return the stage of an object of DVC's cache, if the lock file names it as an output."""
    with contextlib.suppress(OSError, yaml.YAMLError, AttributeError):
        content = yaml.safe_load((place.project / "dvc.lock").read_text(encoding="utf-8"))["stages"]
        digest = path.parent.name + path.name
        return next((stage for stage, found in content.items() for out in found.get("outs", []) if out.get("md5") == digest), "dvc")
    return "dvc"


KINDS = {
    "artifact": ("data", "models", "reports"),
    "checkpoint": (CHECKPOINTS,),
    "working shard": (SHARDS,),
    "signal cache": ("data/signals",),
    "archive": (".cache/downloads",),
    "cache of DVC": (".dvc/cache/files",),
    "index": (INDEX,),
}


def candidates(place: Place, kind: str) -> list[Path]:
    """Return the existing files of a kind, as paths in the project."""
    given = {str(path) for path in place.outputs()}
    found = []
    for root in KINDS[kind]:
        for file in sorted((place.project / root).rglob("*")):
            name = file.relative_to(place.project)
            if not file.is_file() or file.stat().st_size == 0:
                continue
            if kind == "artifact" and not any(str(part) in given for part in (name, *name.parents)):
                continue
            found.append(name)
    return found


def harm(place: Place, rng: random.Random, path: Path) -> str:
    """Truncate a file, flip some of its bits, or empty it; return the word for it.

    The file is replaced, and not changed in place, so that no hard link to it changes.
    """
    file = place.project / path
    content = bytearray(file.read_bytes())
    how = rng.choice(("truncated", "flipped", "flipped", "emptied"))
    if how == "flipped":
        for _ in range(rng.choice((1, 1, 8))):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    else:
        content = content[: rng.randrange(len(content)) if how == "truncated" else 0]
    damaged = file.with_name(f"{file.name}.damaged")
    damaged.write_bytes(content)
    shutil.copymode(file, damaged)
    os.replace(damaged, file)
    return how
