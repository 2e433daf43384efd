import pytest

from compactlm.errors import CompactLMError
from compactlm.improvement.labelling.prompt import KEYS, ask
from compactlm.improvement.labelling.session import Session
from compactlm.improvement.rows import read_fields

ROWS = [{"text": f"text {at}", "predicted": "positive"} for at in range(4)]


def run(path, keys, labels=("negative", "positive")):
    said, given = [], iter(keys)
    session = Session(ROWS, path)
    ask(session, labels, lambda: next(given, ""), said.append)
    return session, said


def test_one_key_labels_a_row(tmp_path):
    session, said = run(tmp_path / "a.jsonl", "12x?s1")
    assert session.current is None
    assert [row["label"] for row in read_fields(tmp_path / "a.jsonl")] == ["negative", "positive", None, "negative"]
    assert said[:3] == ["\n1/4  text 0", "[1] negative  [2] positive  [s] skip  [u] undo  [q] quit", "-> negative"]
    assert not any("predicted" in line for line in said)


def test_undo_shows_the_row_again(tmp_path):
    _, said = run(tmp_path / "a.jsonl", "u1uU2q")
    assert [row["label"] for row in read_fields(tmp_path / "a.jsonl")] == ["positive"]
    assert said.count("\n1/4  text 0") == 4
    assert said.count("there is no answer to take back") == 2


@pytest.mark.parametrize("keys", ["1q2", "1", "1\x03", "1\x04"])
def test_the_prompt_stops_at_quit_and_at_the_end_of_the_input(tmp_path, keys):
    session, _ = run(tmp_path / "a.jsonl", keys)
    assert session.left == 3


def test_many_labels_have_letters_as_keys(tmp_path):
    labels = [f"label {at}" for at in range(len(KEYS))]
    run(tmp_path / "a.jsonl", "9az", labels)
    assert [row["label"] for row in read_fields(tmp_path / "a.jsonl")] == [labels[8], labels[9], labels[-1]]
    with pytest.raises(CompactLMError, match="33 labels, but only 32 keys"):
        run(tmp_path / "b.jsonl", "1", [*labels, "more"])
