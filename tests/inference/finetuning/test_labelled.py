import gzip
import json

import pytest

from compactlm.errors import CompactLMError
from compactlm.inference.finetuning.labelled import read_labelled, split


def write(path, rows):
    path.write_text("message,spam\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return path


ROWS = [(f"text {number}", ("yes", "no")[number % 2]) for number in range(40)]


def test_unusable_rows_are_skipped_and_labels_may_be_numbers(tmp_path):
    path = write(tmp_path / "rows.csv", [*ROWS, ("text 3", "yes"), (" ", "no"), ("text 77", ""), ('"two\nlines"', "no")])
    found = read_labelled(path, "message", "spam")
    assert found.texts == [text for text, _ in ROWS] + ["two\nlines"]
    assert found.labels == [label for _, label in ROWS] + ["no"]
    assert (found.left_out, found.names) == (3, ["no", "yes"])
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"t": f"text {number}", "y": number % 2}) + "\n" for number in range(40)))
    assert read_labelled(path, "t", "y").names == ["0", "1"]


@pytest.mark.parametrize(
    ("name", "rows", "columns", "message"),
    [
        ("rows.doc", ROWS, ("message", "spam"), "no known format.*csv"),
        ("rows.csv", ROWS, ("text", "spam"), "has no column 'text'.* message, spam"),
        ("rows.csv", ROWS, ("message", "ham"), "has no column 'ham'.* message, spam"),
        ("rows.csv", [(text, "yes") for text, _ in ROWS], ("message", "spam"), "has 1 labels"),
        ("rows.csv", ROWS[:31], ("message", "spam"), "has 15 different texts of the label 'no'.* 16"),
        ("rows.csv", [], ("message", "spam"), "has 0 labels"),
        ("rows.csv", [('"open', "yes")], ("message", "spam"), "is not valid csv at line"),
        ("rows.csv", "message,spam\ncaf\xe9,yes\n", ("message", "spam"), r"not valid utf-8 in line 2 \(byte 0xe9\); convert the file$"),
        ("rows.jsonl", '{"t": "a", "y": "b"}\n{"t": ', ("t", "y"), "is not valid jsonl at line 2"),
        ("rows.csv", None, ("message", "spam"), "cannot be read"),
    ],
)
def test_unusable_files_are_refused(tmp_path, name, rows, columns, message):
    path = tmp_path / name
    if isinstance(rows, str):
        path.write_bytes(rows.encode("latin-1"))
    elif rows is not None:
        write(path, rows)
    with pytest.raises(CompactLMError, match=message):
        read_labelled(path, *columns)


@pytest.mark.parametrize("name", ["rows.2026.csv", "ROWS.CSV", "v1.0.rows.csv.gz"])
def test_the_suffix_decides_the_format(tmp_path, name):
    path = write(tmp_path / name, ROWS)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert len(read_labelled(path, "message", "spam").texts) == 40


def test_a_quarter_of_each_label_is_held_out():
    labels = ["a"] * 16 + ["b"] * 40
    train, held_out = split(labels, 3)
    assert sorted(train + held_out) == list(range(56))
    assert sum(labels[row] == "a" for row in held_out) == 4
    assert sum(labels[row] == "b" for row in held_out) == 10
    assert split(labels, 3) == (train, held_out) != split(labels, 4)
