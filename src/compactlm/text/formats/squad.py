"""Rows of a file in SQuAD's JSON format (Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250): a row for each question."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from compactlm.errors import CompactLMError
from compactlm.text.formats.delimited import Row
from compactlm.text.unicode import encodable_values

_FORM = 'SQuAD\'s format is {"data": [{"title": ..., "paragraphs": [{"context": ..., "qas": [{"question": ..., "answers": ...}]}]}]}'


def squad_rows(content: str, where: str) -> Iterator[tuple[str, Row]]:
    """Yield the position and cells of each question: title, context, question, id, and the lists answers.text and answers.answer_start.

    A question marked by `is_impossible` has empty lists, as in version 2 (https://arxiv.org/abs/1806.03822).

    Raises:
        CompactLMError: the file is not JSON or not in SQuAD's format; the message has the position.
    """
    try:
        whole = encodable_values(json.loads(content))
    except (ValueError, RecursionError) as error:
        at = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise CompactLMError(f"{where} is not valid JSON{at}; correct it, or set format: jsonl for a file with an object a line") from None
    if not isinstance(whole, dict) or "data" not in whole:
        raise CompactLMError(
            f"{where} has no list 'data'; {_FORM}; to read other rows, write one JSON object per line to a file that ends in .jsonl, for "
            "example with `jq -c '.[]'` or pandas' to_json(orient='records', lines=True)"
        )
    for number, article in _entries(whole, "data", where):
        title = article.get("title")
        for paragraph_number, paragraph in _entries(article, "paragraphs", f"{where}, {number}"):
            for question_number, question in _entries(paragraph, "qas", f"{where}, {number}, {paragraph_number}"):
                place = f"{number}, {paragraph_number}, {question_number}"
                cells: dict[str | int, object] = {"title": title, "answers": _answers(question, f"{where}, {place}")}
                for name, holder in (("context", paragraph), ("question", question), ("id", question)):
                    cells[name] = holder.get(name)
                yield place, cells


def _entries(holder: Any, key: str, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    found = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(found, list):
        raise CompactLMError(f"{where} has no list {key!r}; {_FORM}")
    for number, entry in enumerate(found):
        if not isinstance(entry, dict):
            raise CompactLMError(f"{where} has no object at {key}[{number}]; {_FORM}")
        yield f"{key}[{number}]", entry


def _answers(question: dict[str, Any], where: str) -> dict[str, list[object]]:
    given = [] if question.get("is_impossible") else question.get("answers") or []
    if not isinstance(given, Sequence) or not all(
        isinstance(answer, dict) and {"text", "answer_start"} <= answer.keys() for answer in given
    ):
        raise CompactLMError(f"{where} has an answer without text and answer_start; {_FORM}")
    return {name: [answer[name] for answer in given] for name in ("text", "answer_start")}
