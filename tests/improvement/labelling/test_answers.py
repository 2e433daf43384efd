import json

import pytest

from compactlm.errors import CompactLMError
from compactlm.improvement.labelling.answers import LabelledRow, read_answers
from compactlm.improvement.rows import row_id

LABELS = ["negative", "positive"]


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_rows_on_which_all_annotators_agree_have_a_label(tmp_path):
    rows = [
        {"id": "a", "text": "good film", "label": "positive", "annotator": "ann", "picked_by": "random"},
        {"id": "b", "text": "bad film", "label": "negative", "annotator": "ann", "picked_by": "margin"},
        {"id": "a", "text": "good film", "label": "positive", "annotator": "bo", "picked_by": "random"},
        {"id": "b", "text": "bad film", "label": "positive", "annotator": "bo", "picked_by": "margin"},
        {"id": "c", "text": "a film", "label": None, "annotator": "bo"},
    ]
    found = read_answers(write(tmp_path / "rows.jsonl", *rows), LABELS)
    good, bad = map(row_id, ("good film", "bad film"))
    assert found.rows == [LabelledRow(good, "good film", "positive", "random")]
    assert found.disagreed == [bad]
    assert found.skipped == 1
    assert found.answers["bo"] == {good: "positive", bad: "positive"}


def test_rows_with_one_id_and_other_texts_are_other_rows(tmp_path):
    rows = [{"id": 1, "text": "good film", "label": "positive"}, {"id": 1, "text": "bad film", "label": "negative"}]
    found = read_answers(write(tmp_path / "rows.jsonl", *rows), LABELS)
    assert [(row.text, row.label) for row in found.rows] == [("good film", "positive"), ("bad film", "negative")]
    assert not found.disagreed


def test_the_last_answer_of_an_annotator_counts(tmp_path):
    rows = [{"id": "a", "text": "x", "label": label} for label in ("negative", "positive")]
    found = read_answers(write(tmp_path / "rows.jsonl", *rows), LABELS)
    assert [row.label for row in found.rows] == ["positive"]
    assert not found.disagreed


def test_any_table_with_text_and_label_is_read(tmp_path):
    (tmp_path / "rows.csv").write_text("review,stars\ngood film,1.0\nbad film,0\n,1\n")
    found = read_answers(tmp_path / "rows.csv", ["0", "1"], "review", "stars")
    assert found.rows == [LabelledRow(row_id("good film"), "good film", "1", None), LabelledRow(row_id("bad film"), "bad film", "0", None)]
    assert found.skipped == 1


def test_a_label_that_the_task_does_not_have_is_named(tmp_path):
    path = write(tmp_path / "rows.jsonl", {"text": "x", "label": "positive"}, {"text": "y", "label": "great"})
    with pytest.raises(CompactLMError, match=r"rows.jsonl, row 2: 'great' is no label of the task; write one of: negative, positive"):
        read_answers(path, LABELS)
    with pytest.raises(CompactLMError, match="is not a label"):
        read_answers(write(tmp_path / "rows.jsonl", {"text": "x", "label": ["positive"]}), LABELS)


def test_a_file_without_labels_says_what_to_do(tmp_path):
    with pytest.raises(CompactLMError, match=r"no row with a text in 'text' and a label in 'label'; label rows with `compactlm label`"):
        read_answers(write(tmp_path / "rows.jsonl", {"text": "x"}), LABELS)
