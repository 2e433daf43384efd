"""Target settings: params.yaml with changed values, or with damaged text."""

import functools
import random
import shutil
from pathlib import Path
from typing import Any

import yaml

from benchmarks.fuzz.mutating import changed, damage
from benchmarks.fuzz.runner import check_sentence
from compactlm.params import ParamsError, parse_params, read_params
from compactlm.params.files import insert_files

ROOT = Path(__file__).parents[2]
PLAIN = ROOT / "params.yaml"
PATTERNS = ["(a+)+$", "(a|a)*$", "(?:a{1000}){1000}", "a{99999999999}", "(" * 300 + ")" * 300, "[", r"\p{L}", "(?i)x", "x" * 70_000]


@functools.cache
def _whole() -> dict[str, Any]:
    return insert_files(yaml.safe_load(PLAIN.read_text(encoding="utf-8")), ROOT)


def case(rng: random.Random, directory: Path, models: Path) -> str:  # noqa: ARG001
    """Read changed settings, and return whether they are accepted, or the kind of the refusal."""
    path = directory / "params.yaml"
    try:
        if rng.random() < 0.15:
            shutil.copytree(ROOT / "configs", directory / "configs")
            path.write_bytes(damage(PLAIN.read_bytes(), rng, (1, 3, 20)))
            read_params(path)
        else:
            content = changed(_whole(), rng)
            if rng.random() < 0.1 and isinstance(content, dict) and isinstance(content.get("clean"), dict):
                action = rng.choice(["drop", "replace"])
                one = {
                    "kind": "expression",
                    "name": "own",
                    "pattern": rng.choice(PATTERNS),
                    "action": action,
                    "replacement": "a" * 50 + "!",
                }
                content["clean"]["filters"] = [one]
            path.write_text(repr(content)[:100_000].encode("utf-8", "replace").decode(), encoding="utf-8")  # kept for a finding
            if isinstance(content, dict):
                parse_params(content)
    except ParamsError as error:
        check_sentence(str(error))
        return "refused"
    return "accepted"
