"""Small JSON files of a model directory, with readable errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from compactlm.errors import CompactLMError


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        CompactLMError: the file cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CompactLMError(f"{path} cannot be read ({error}); fetch or save the sentence encoder again") from None


def read_settings(path: Path, optional: bool = False) -> dict[str, Any]:
    """Read a JSON object; an optional file that does not exist gives an empty one.

    Raises:
        CompactLMError: the file cannot be read, or is not an object.
    """
    if optional and not path.is_file():
        return {}
    settings = read_json(path)
    if not isinstance(settings, dict):
        raise CompactLMError(f"{path} is not a JSON object; fetch or save the sentence encoder again")
    return settings


def write_settings(path: Path, value: Any) -> None:
    """Write a value as indented JSON."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
