"""Reading dvc.lock, the file in which DVC keeps the hashes of the last run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from compactlm.errors import CompactLMError

LOCK = Path("dvc.lock")


def read_stages() -> dict[str, Any]:
    """Return the stages of dvc.lock by name, empty without the file.

    Raises:
        CompactLMError: the file is damaged. DVC leaves such a file if the disk becomes full while it writes it.
    """
    if not LOCK.is_file():
        return {}
    try:
        stages = yaml.safe_load(LOCK.read_text(encoding="utf-8"))["stages"]
    except (yaml.YAMLError, ValueError, KeyError, TypeError, RecursionError):
        stages = None
    if not isinstance(stages, dict):
        raise CompactLMError(f"{LOCK} is damaged; restore it with `git checkout {LOCK}`, then run the command again")
    return stages
