"""Read answers from exports of Label Studio and Argilla, as lines of a labelled file.

Supported formats are Label Studio's JSON, JSON-MIN and CSV (version 1), and Argilla's `records.to_json` and `to_list` (version 2).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from compactlm.errors import CompactLMError
from compactlm.improvement.labelling.answers import ANNOTATOR, LABEL
from compactlm.improvement.rows import read_fields
from compactlm.text.unicode import encodable_values

Fields = Mapping[str, Any]
SUBMITTED = ("submitted", None)  # the status of an answer that counts; drafts and discarded answers do not


def read_export(path: Path, question: str | None = None) -> list[dict[str, Any]]:
    """Return one line for each answer: the fields of its row, its label and its annotator.

    Args:
        path: the export, a .json file with a list, or .jsonl or .csv.
        question: the name of the question (Argilla) or of the control (Label Studio); None takes the only one.

    Raises:
        CompactLMError: the file cannot be read, is not an export of these tools, or has several questions.
    """
    found, questions = [], set()
    for row in _rows(path):
        for name, line in _answers(row, question):
            questions.add(name)
            found.append(line)
    if len(questions) > 1 and question is None:
        raise CompactLMError(f"{path} has answers to several questions; name one with --question: {', '.join(sorted(questions))}")
    if not found:
        what = f" to the question {question!r}" if question else ""
        raise CompactLMError(f"{path} has no answers{what}; export rows that have labels as JSON, or name another --question")
    return found


def _rows(path: Path) -> Iterable[Fields]:
    if path.suffix.lower() != ".json":
        return read_fields(path)
    try:
        content = encodable_values(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CompactLMError(f"{path} cannot be read ({error.strerror}); name a readable file") from None
    except (ValueError, RecursionError):
        raise CompactLMError(f"{path} is not valid JSON in UTF-8; export it again") from None
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise CompactLMError(f"{path} is no list of rows; export it from Label Studio or Argilla as JSON")
    return content


def _answers(row: Fields, question: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(row.get("annotations"), list) and isinstance(row.get("data"), Mapping):
        found = _label_studio(row)
    elif "annotation_id" in row:
        found = _label_studio_flat(row, question)
    elif isinstance(row.get("responses"), Mapping) and isinstance(row.get("fields"), Mapping):
        found = _argilla(row)
    else:
        found = _argilla_flat(row)
    return ((name, line) for name, line in found if question in (None, name) and line[LABEL] is not None)


def _label_studio(row: Fields) -> Iterator[tuple[str, dict[str, Any]]]:
    for annotation in row["annotations"]:
        who = annotation.get("completed_by")
        who = who.get("email") or who.get("id") if isinstance(who, Mapping) else who
        for result in annotation.get("result") or () if not annotation.get("was_cancelled") else ():
            if result.get("type") == "choices":
                yield str(result.get("from_name")), {**row["data"], LABEL: _only(result["value"].get("choices")), ANNOTATOR: str(who)}


def _label_studio_flat(row: Fields, question: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    own = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time")
    others = {name: value for name, value in row.items() if name not in own}
    # Columns of the data come before the task's own id, and those of the answers after it.
    names = list(row)
    after = names[names.index("id") + 1 :] if "id" in names else []
    for name in [question] if question else [name for name in after if name in others]:
        if name in others:
            fields = {key: value for key, value in others.items() if key != name}
            yield name, {**fields, LABEL: _only(others[name]), ANNOTATOR: str(row.get("annotator", ""))}


def _argilla(row: Fields) -> Iterator[tuple[str, dict[str, Any]]]:
    fields = {**(row.get("metadata") or {}), **row["fields"], **({"id": row["id"]} if row.get("id") else {})}
    for name, responses in row["responses"].items():
        for response in responses or ():
            if response.get("status") in SUBMITTED:
                yield name, {**fields, LABEL: _only(response.get("value")), ANNOTATOR: str(response.get("user_id", ""))}


def _argilla_flat(row: Fields) -> Iterator[tuple[str, dict[str, Any]]]:
    ending = ".responses"
    fields = {name: value for name, value in row.items() if ending not in name and ".suggestion" not in name and not name.startswith("_")}
    for key in [name for name in row if name.endswith(ending)]:
        values = row[key] or []
        users, states = (row.get(f"{key}.{part}") or [None] * len(values) for part in ("users", "status"))
        for value, user, state in zip(values, users, states, strict=False):
            if state in SUBMITTED:
                yield key.removesuffix(ending), {**fields, LABEL: _only(value), ANNOTATOR: str(user or "")}


def _only(value: Any) -> Any:
    """Return the choice of an answer; None for an answer without a choice or with several."""
    if isinstance(value, Mapping):
        value = value.get("choices")
    if isinstance(value, list):
        return value[0] if len(value) == 1 else None
    return None if value == "" else value
