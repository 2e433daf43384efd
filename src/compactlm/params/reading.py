"""Reading params.yaml, and the sentences that say what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic
import yaml

from compactlm.params.whole import Params

PARAMS_FILE = Path("params.yaml")


class ParamsError(ValueError):
    """params.yaml cannot be used; the message says which key, why, and how to mend it."""


def read_params(path: Path = PARAMS_FILE) -> Params:
    """Read and check params.yaml.

    Raises:
        ParamsError: the file is missing, is not YAML, or says something that cannot be done.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path} is missing; run `make train`, which composes it from configs/") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{path} is not valid YAML ({' '.join(str(error).split())}); correct it there") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path} holds no sections; run `make train`, which composes it from configs/")
    return parse_params(content, str(path))


def parse_params(content: dict[str, Any], where: str = "params.yaml") -> Params:
    """Check the content of params.yaml and give it types; raises ParamsError."""
    try:
        return Params.model_validate(content)
    except pydantic.ValidationError as error:
        raise ParamsError(f"{where}: {_sentence(error, content)}") from None


def _sentence(error: pydantic.ValidationError, content: dict[str, Any]) -> str:
    problems = [_problem(detail, content) for detail in error.errors(include_url=False)]
    return "; and ".join(dict.fromkeys(problems))


def _location(detail: Any, content: dict[str, Any]) -> str:
    """Return the path of keys to what is wrong, without the names of union members that pydantic puts between them."""
    keys: list[str] = []
    place: Any = content
    tag = None
    for part in detail["loc"]:
        if part == tag:
            tag = None
            continue
        if (isinstance(place, dict) and part in place) or (isinstance(place, list) and isinstance(part, int) and part < len(place)):
            keys.append(str(part))
            place = place[part]
            tag = place.get("kind") if isinstance(place, dict) else None
    return ".".join([*keys, str(detail["loc"][-1])] if detail["type"] == "missing" else keys)


def _problem(detail: Any, content: dict[str, Any]) -> str:
    location = _location(detail, content)
    if detail["type"] == "extra_forbidden":
        return f"{location} is not a known parameter; remove it or correct its spelling"
    if detail["type"] == "missing":
        return f"{location} is missing; add it (configs/ has an example)"
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        given = f"is {detail['ctx']['tag']!r}" if "tag" in detail["ctx"] else "is missing"
        kinds = ", ".join(
            sorted(name.strip("'") for name in detail["ctx"].get("expected_tags", "'directory', 'files', 'hub', 'package'").split(", "))
        )
        return f"{location}.kind {given}; it must be one of {kinds}"
    if detail["type"] == "value_error":
        message = str(detail["ctx"]["error"])
        return f"{location}: {message}" if location else message
    value = detail.get("input")
    return f"{location} is {value!r}, but {_lower(detail['msg'])}; correct it"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
