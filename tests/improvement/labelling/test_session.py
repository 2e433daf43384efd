from compactlm.improvement.labelling.answers import read_answers
from compactlm.improvement.labelling.session import Session
from compactlm.improvement.rows import read_fields, row_id

ROWS = [{"text": f"text {at}", "picked_by": "random", "predicted": "a", "probability": 0.5} for at in range(4)]


def test_each_answer_is_in_the_file_at_once(tmp_path):
    path = tmp_path / "answers.jsonl"
    session = Session(ROWS, path, "ann")
    session.answer("a")
    session.answer(None)
    assert list(read_fields(path)) == [
        {"id": row_id("text 0"), "text": "text 0", "picked_by": "random", "label": "a", "annotator": "ann"},
        {"id": row_id("text 1"), "text": "text 1", "picked_by": "random", "label": None, "annotator": "ann"},
    ]
    assert (session.current["text"], session.left) == ("text 2", 2)


def test_a_second_session_goes_on_where_the_first_one_stopped(tmp_path):
    path = tmp_path / "answers.jsonl"
    session = Session(ROWS, path)
    session.answer("a")
    session.answer(None)
    again = Session(ROWS, path)
    assert (again.current["text"], again.left) == ("text 2", 2)
    again.answer("b")
    again.answer("a")
    assert again.current is None
    assert [row.label for row in read_answers(path, ["a", "b"]).rows] == ["a", "b", "a"]


def test_an_id_of_the_file_does_not_hide_a_row(tmp_path):
    path = tmp_path / "answers.jsonl"
    session = Session([{"id": 1, "text": "one"}, {"id": 1, "text": "two"}], path)
    session.answer("a")
    assert Session([{"id": 1, "text": "two"}], path).current == {"id": row_id("two"), "text": "two"}
    path.write_text('{"id": "x", "text": "two", "label": "b"}\n')
    assert Session([{"text": "two"}], path).current is None


def test_undo_takes_answers_back_also_those_of_an_earlier_session(tmp_path):
    path = tmp_path / "answers.jsonl"
    first = Session(ROWS, path)
    first.answer("a")
    first.answer("b")
    session = Session(ROWS, path)
    session.answer("a")
    assert [session.undo() for _ in range(4)] == [True, True, True, False]
    assert session.current["text"] == "text 0"
    assert path.read_text() == ""
    session.answer("b")
    assert [row["label"] for row in read_fields(path)] == ["b"]


def test_two_annotators_share_a_file(tmp_path):
    path = tmp_path / "answers.jsonl"
    for name, labels in (("ann", "aabb"), ("bo", "abbb")):
        session = Session(ROWS, path, name)
        for label in labels:
            session.answer(label)
    found = read_answers(path, ["a", "b"])
    assert found.disagreed == [row_id("text 1")]
    assert len(found.rows) == 3
    # Undo takes the last answer of its own annotator.
    session = Session(ROWS, path, "ann")
    session.undo()
    assert read_answers(path, ["a", "b"]).answers["bo"] == found.answers["bo"]
    assert session.current["text"] == "text 3"


def test_rows_are_answered_once_more_if_asked_for(tmp_path):
    path = tmp_path / "answers.jsonl"
    for name, labels in (("ann", "aabb"), ("bo", "abbb")):
        session = Session(ROWS, path, name)
        for label in labels:
            session.answer(label)
    session = Session(ROWS, path, "ann", again=[row_id("text 1")])
    assert (session.current["text"], session.left) == ("text 1", 1)
    assert session.undo() is False  # nothing of this session
    session.answer("b")
    assert not read_answers(path, ["a", "b"]).disagreed


def test_a_line_that_a_crash_left_unfinished_is_dropped(tmp_path):
    path = tmp_path / "answers.jsonl"
    Session(ROWS, path).answer("a")
    path.write_text(path.read_text() + '{"id": "b')
    session = Session(ROWS, path)
    assert session.left == 3
    session.answer("b")
    assert [row["label"] for row in read_fields(path)] == ["a", "b"]
