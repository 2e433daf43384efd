import json
from typing import Any

import pytest

from compactlm.errors import CompactLMError
from compactlm.text.formats.tables import stream_rows

ANSWERED = {"id": "1", "question": "Who?", "answers": [{"text": "Kim", "answer_start": 3}, {"text": "K", "answer_start": 3}]}
IMPOSSIBLE = {"id": "2", "question": "Why?", "answers": [], "is_impossible": True, "plausible_answers": [{"text": "x", "answer_start": 0}]}


def article(*questions: dict[str, Any]) -> dict[str, Any]:
    return {"title": "T", "paragraphs": [{"context": "In Kim", "qas": list(questions)}]}


def read(content: str) -> list[tuple[str, Any]]:
    return list(stream_rows(content.encode(), "f.json", "squad", header=False, encoding="utf-8"))


def test_a_row_for_each_question() -> None:
    shared = {"title": "T", "context": "In Kim"}
    assert read(json.dumps({"version": "v2.0", "data": [article(ANSWERED, IMPOSSIBLE)]}, indent=1)) == [
        (
            "data[0], paragraphs[0], qas[0]",
            shared | {"question": "Who?", "id": "1", "answers": {"text": ["Kim", "K"], "answer_start": [3, 3]}},
        ),
        ("data[0], paragraphs[0], qas[1]", shared | {"question": "Why?", "id": "2", "answers": {"text": [], "answer_start": []}}),
    ]


def test_lone_surrogates_are_replaced() -> None:
    [(_, row)] = read(json.dumps({"data": [article(ANSWERED | {"question": "Who\ud83d?"})]}))
    assert row["question"] == "Who\ufffd?"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"data": [\n}', r"f\.json is not valid JSON at line 2; .* format: jsonl"),
        ("[]", r"f\.json has no list 'data'; SQuAD's format is .*; to read other rows, write one JSON object per line"),
        ('[{"text": "a", "label": "b"}]', r"f\.json has no list 'data'; .* a file that ends in \.jsonl"),
        (json.dumps({"data": [{"title": "T"}]}), r"f\.json, data\[0\] has no list 'paragraphs'"),
        (json.dumps({"data": ["T"]}), r"f\.json has no object at data\[0\]"),
        (json.dumps({"data": [{"paragraphs": [{"context": "x"}]}]}), r"f\.json, data\[0\], paragraphs\[0\] has no list 'qas'"),
        (json.dumps({"data": [article(ANSWERED, {"answers": ["Kim"]})]}), r"paragraphs\[0\], qas\[1\] has an answer without text"),
    ],
)
def test_another_form_is_refused(content: str, message: str) -> None:
    with pytest.raises(CompactLMError, match=message):
        read(content)
