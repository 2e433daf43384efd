"""Read params.yaml, and describe its errors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic
import yaml

from compactlm.errors import CompactLMError
from compactlm.params.files import insert_files, load_yaml, named_files
from compactlm.params.whole import Params

PARAMS_FILE = Path("params.yaml")
RENAMED = {  # old keys, by their full path
    "bias_audit.bootstrap": "bootstrap",
    "evaluate.resamples": "bootstrap.samples",
    "evaluate.timings.pieces": "evaluate.timings.tokens",
}
REMOVED = {  # keys of old forms, by their full path, with the reason, and the key that has a part of their values now
    "teacher.mlm_head": ("no head is trained for a teacher without one", "teacher.validation_words"),
}
PAIRS = "pairs of a student's and a teacher's layer, such as [[2, 3], [4, 6]]"


class ParamsError(CompactLMError):
    """params.yaml cannot be used; the message says which key is wrong, why, and how to fix it."""


def read_params(path: Path = PARAMS_FILE) -> Params:
    """Read and check params.yaml; raises ParamsError if it is missing, is not valid YAML, or has values that cannot be used."""
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path} is missing; run `make train`, which composes it from configs/") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # the last two for no UTF-8, for 2024-13-99, and for deep nesting
        raise ParamsError(f"{path} is not valid YAML ({' '.join(str(error).split())}); correct it there") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path} holds no sections; run `make train`, which composes it from configs/")
    return parse_params(content, str(path))


def parse_params(content: dict[str, Any], where: str = "params.yaml") -> Params:
    """Check the content of params.yaml and of the files that it names, and give it types; raises ParamsError."""
    given = content
    try:
        content = insert_files(given)
        return Params.model_validate(content)
    except CompactLMError as error:
        raise ParamsError(f"{where}: {error}") from None
    except pydantic.ValidationError as error:
        raise ParamsError(f"{where}: {describe_errors(error, content, given)}") from None


def describe_errors(error: pydantic.ValidationError, content: dict[str, Any], given: dict[str, Any] | None = None) -> str:
    """Describe the errors in the content of a YAML file, with the path of each wrong value.

    Args:
        error: what pydantic found.
        content: the checked content.
        given: the content before the files that it names were inserted, if it names any.
    """
    details = error.errors(include_url=False)
    replaced = dict(_replaced_sources(details, content, given or {}))
    details = [detail for detail in details if not _location(detail, content).startswith(tuple(f"{source}." for source in replaced))]
    old = [_location(detail, content) for detail in details if detail["type"] == "extra_forbidden"]
    new = {*(RENAMED.get(location) for location in old), *(REMOVED[location][1] for location in old if location in REMOVED)}
    details = [detail for detail in details if detail["type"] != "missing" or _location(detail, content) not in new]
    places = [_choice(detail, content) for detail in details]
    problems = list(replaced.values())
    for detail, place in zip(details, places, strict=True):
        together = [other for other, where in zip(details, places, strict=True) if place and where == place]
        problems.append(_choices(place, together, content) if place and len(together) > 1 else _problem(detail, content))
    return "; and ".join(dict.fromkeys(problems))


def _replaced_sources(details: list[Any], content: dict[str, Any], given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield an error for each source whose kind differs from that of the file it names, because keys of the file would remain."""
    unknown = {_location(detail, content) for detail in details if detail["type"] == "extra_forbidden"}
    for section, file in named_files(given).items():
        if not section.startswith("ingest.sources."):
            continue
        name = section.removeprefix("ingest.sources.")
        own, whole = given["ingest"]["sources"][name], content["ingest"]["sources"][name]
        left = [key for key in whole if key not in own and f"{section}.{key}" in unknown]
        if "kind" in own and left:
            keys = f"{', '.join(left)} come from {file}, which it names"
            yield section, f"{section} is of the kind {own['kind']!r}, but {keys}; give the source another name"


def _choice(detail: Any, content: dict[str, Any]) -> tuple[Any, ...]:
    """Return the path of a value that may have several forms, or an empty path.

    pydantic reports an error for each form and puts the name of the form into the path, where no key has this name.
    """
    place: Any = content
    for at, part in enumerate(detail["loc"]):
        if isinstance(place, dict) and part not in place and part == place.get("kind"):
            continue
        if isinstance(part, str) and not isinstance(place, dict):
            return tuple(detail["loc"][:at])
        if isinstance(part, str) and part not in place:
            return ()  # forms of a section; the problem names the key
        if isinstance(part, int) and not (isinstance(place, list) and part < len(place)):
            return ()
        place = place[part]
    return ()


def _choices(place: tuple[Any, ...], details: list[Any], content: Any) -> str:
    """Return one sentence with all forms that a value may have."""
    forms = []
    for detail in details:
        form = str(detail["loc"][len(place)])
        text = PAIRS if form.startswith("list[tuple[") else _lower(detail["msg"]).removeprefix("input should be ")
        forms.append(text)
    location, value = _location(details[0] | {"loc": place, "type": ""}, content), content
    for part in place:
        value = value[part] if part in value or isinstance(value, list) else value  # skip the name of a kind of section
    return f"{location} is {value!r}, but input should be {', or '.join(dict.fromkeys(forms))}; correct it"


def _location(detail: Any, content: dict[str, Any]) -> str:
    """Return the path of the wrong value, without the names of forms that pydantic puts between the keys."""
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
        if location in RENAMED:
            return f"{location} is now called {RENAMED[location]}; rename it"
        if location in REMOVED:
            reason, new = REMOVED[location]
            return f"{location} is no longer a parameter, because {reason}; replace it by {new} (configs/ has an example)"
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
    if detail["type"] == "string_type" and isinstance(value, bool | int | float | dt.date):
        kind = "a truth value" if isinstance(value, bool) else "a number" if isinstance(value, int | float) else "a date"
        hint = " (as it does no, yes, on and off)" if isinstance(value, bool) else ""
        return f"{location} is {value!r}, but it must be text; YAML reads it as {kind}{hint}, so put it in quotes"
    return f"{location} is {value!r}, but {_lower(detail['msg'])}; correct it"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
