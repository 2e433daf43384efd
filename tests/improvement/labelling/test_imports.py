"""Exports of other tools, in the forms that they write."""

import json

import pytest

from compactlm.errors import CompactLMError
from compactlm.improvement.labelling.answers import resolve
from compactlm.improvement.labelling.imports import read_export


def choice(label, name="sentiment"):
    return {"id": "x1", "from_name": name, "to_name": "text", "type": "choices", "value": {"choices": label}}


LABEL_STUDIO = [
    {
        "id": 1,
        "data": {"text": "good film", "id": "a" * 32, "picked_by": "random"},
        "annotations": [
            {"id": 11, "completed_by": 1, "was_cancelled": False, "result": [choice(["positive"])]},
            {"id": 12, "completed_by": {"id": 2, "email": "bo@example.org"}, "was_cancelled": False, "result": [choice(["negative"])]},
            {"id": 13, "completed_by": 3, "was_cancelled": True, "result": [choice(["negative"])]},
        ],
        "predictions": [{"result": [choice(["negative"])]}],
    },
    {
        "id": 2,
        "data": {"text": "bad film", "id": "b" * 32},
        "annotations": [{"id": 14, "completed_by": 1, "result": [choice(["negative"])]}],
    },
    {"id": 3, "data": {"text": "both", "id": "c" * 32}, "annotations": [{"completed_by": 1, "result": [choice(["negative", "positive"])]}]},
    {"id": 4, "data": {"text": "none", "id": "d" * 32}, "annotations": []},
]
LABEL_STUDIO_MIN = [
    {"text": "good film", "picked_by": "random", "id": 1, "sentiment": "positive", "annotator": 1, "annotation_id": 11, "lead_time": 2.5},
    {"text": "bad film", "picked_by": "margin", "id": 2, "sentiment": "negative", "annotator": 1, "annotation_id": 12, "lead_time": 1.5},
]
ARGILLA = [
    {
        "id": "a" * 32,
        "fields": {"text": "good film"},
        "metadata": {"picked_by": "random"},
        "suggestions": {"sentiment": {"value": "negative", "score": 0.4, "agent": "model"}},
        "responses": {"sentiment": [{"value": "positive", "user_id": "u1"}, {"value": "negative", "user_id": "u2"}]},
        "vectors": {},
    },
    {"id": "b" * 32, "fields": {"text": "bad film"}, "metadata": {}, "suggestions": {}, "responses": {}, "vectors": {}},
    {
        "id": "c" * 32,
        "fields": {"text": "a film"},
        "metadata": {},
        "responses": {"sentiment": [{"value": "negative", "user_id": "u1", "status": "discarded"}]},
    },
]
ARGILLA_FLAT = [
    {
        "id": "a" * 32,
        "status": "completed",
        "_server_id": "s1",
        "text": "good film",
        "picked_by": "random",
        "sentiment.responses": ["positive", "negative"],
        "sentiment.responses.users": ["u1", "u2"],
        "sentiment.responses.status": ["submitted", "draft"],
        "sentiment.suggestion": "negative",
    },
    {"id": "b" * 32, "status": "pending", "text": "bad film", "sentiment.responses": None},
]


def read(tmp_path, content, *, name="export.json", **options):
    path = tmp_path / name
    path.write_text(json.dumps(content) if name.endswith("json") else "".join(json.dumps(row) + "\n" for row in content))
    lines = read_export(path, **options)
    return [(line["text"], line["label"], line["annotator"], line.get("picked_by")) for line in lines], lines


def test_label_studio_json(tmp_path):
    found, lines = read(tmp_path, LABEL_STUDIO)
    assert found == [
        ("good film", "positive", "1", "random"),
        ("good film", "negative", "bo@example.org", "random"),
        ("bad film", "negative", "1", None),
    ]
    assert [line["id"] for line in lines] == ["a" * 32, "a" * 32, "b" * 32]
    resolved = resolve(lines, ["negative", "positive"], "export")
    assert [row.text for row in resolved.rows] == ["bad film"]
    assert len(resolved.disagreed) == 1


def test_label_studio_json_min_and_csv(tmp_path):
    expected = [("good film", "positive", "1", "random"), ("bad film", "negative", "1", "margin")]
    assert read(tmp_path, LABEL_STUDIO_MIN)[0] == expected
    assert "id" not in read(tmp_path, LABEL_STUDIO_MIN)[1][0]  # the id of Label Studio's own task says nothing
    names = list(LABEL_STUDIO_MIN[0])
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in LABEL_STUDIO_MIN)]
    (tmp_path / "export.csv").write_text("\n".join(lines))
    found = read_export(tmp_path / "export.csv")
    assert [(line["text"], line["label"], line["annotator"], line["picked_by"]) for line in found] == expected


@pytest.mark.parametrize("name", ["export.json", "export.jsonl"])
def test_argilla(tmp_path, name):
    assert read(tmp_path, ARGILLA, name=name)[0] == [("good film", "positive", "u1", "random"), ("good film", "negative", "u2", "random")]
    assert read(tmp_path, ARGILLA_FLAT, name=name)[0] == [("good film", "positive", "u1", "random")]


def test_a_question_is_chosen_among_several(tmp_path):
    row = {**LABEL_STUDIO[1], "annotations": [{"completed_by": 1, "result": [choice(["negative"]), choice(["short"], "length")]}]}
    with pytest.raises(CompactLMError, match="several questions; name one with --question: length, sentiment"):
        read(tmp_path, [row])
    assert read(tmp_path, [row], question="length")[0] == [("bad film", "short", "1", None)]
    with pytest.raises(CompactLMError, match="no answers to the question 'tone'"):
        read(tmp_path, [row], question="tone")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1}', "is no list of rows"),
        ("[1]", "is no list of rows"),
        ("[", "is not valid JSON"),
        pytest.param("[" * 100_000, "is not valid JSON", id="deep"),
        ("[]", "has no answers"),
    ],
)
def test_another_file_is_refused(tmp_path, content, message):
    (tmp_path / "export.json").write_text(content)
    with pytest.raises(CompactLMError, match=message):
        read_export(tmp_path / "export.json")
