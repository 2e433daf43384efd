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
    path = write(tmp_path / "rows.csv", [*ROWS, ("text 3", "no"), (" ", "no"), ("text 77", ""), ('"two\nlines"', "no")])
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
        ("rows.csv", "message;spam\na;yes\n", ("message", "spam"), r"cells seem to end with ';'; write the file with commas$"),
        ("rows.json", '[{"t": "a"}]', ("t", "y"), "one JSON object per line and a name that ends in .jsonl"),
        ("rows.jsonl", '{"t": "a", "y": 1}\n{"t": 5, "y": 1}', ("t", "y"), "line 2: the text column 't' holds 5, which is not text"),
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
    texts = [f"text {number}" for number in range(56)]
    train, held_out = split(labels, 3, texts)
    assert sorted(train + held_out) == list(range(56))
    assert sum(labels[row] == "a" for row in held_out) == 4
    assert sum(labels[row] == "b" for row in held_out) == 10
    assert split(labels, 3, texts) == (train, held_out) != split(labels, 4, texts)


def test_a_row_without_the_label_column_is_skipped_wherever_it_is(tmp_path):
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps({"t": text, "y": label}) for text, label in ROWS]
    path.write_text("\n".join(['{"t": "no label"}', *lines, '{"y": "no text"}', '{"t": "not a number", "y": NaN}']))
    found = read_labelled(path, "t", "y")
    assert (found.texts, found.left_out, found.names) == ([text for text, _ in ROWS], 3, ["no", "yes"])


@pytest.mark.parametrize(("first", "second", "names"), [(1, 1.0, ["0", "1"]), ("1", "1.0", ["0", "1"]), (True, "True", ["0", "true"])])
def test_equal_numbers_and_truth_values_are_one_label(tmp_path, first, second, names):
    path = tmp_path / "rows.jsonl"
    labels = [first, second, 0, 0] * 10
    path.write_text("\n".join(json.dumps({"t": f"text {number}", "y": label}) for number, label in enumerate(labels)))
    assert read_labelled(path, "t", "y").names == names


def test_a_list_is_no_label(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"t": "a", "y": "ham"}\n{"t": "b", "y": ["ham"]}\n')
    with pytest.raises(CompactLMError, match=r"rows.jsonl, line 2: the column 'y' is wrong: \['ham'\] is not a label"):
        read_labelled(path, "t", "y")


def test_a_text_with_several_labels_is_left_out_and_a_repeat_is_read_once(tmp_path):
    repeats = [("TEXT  0", "yes"), ("Text 1", "yes"), (" text 2", "yes"), ("text 1", "no")]
    found = read_labelled(write(tmp_path / "rows.csv", [*ROWS, *repeats]), "message", "spam")
    assert found.texts == [text for text, _ in ROWS if text != "text 1"]
    assert found.left_out == 5


def test_rows_that_differ_only_by_punctuation_are_on_one_side(tmp_path):
    rows = [(f"{text}{end}", label) for text, label in ROWS for end in ("", ".", "!!")]
    found = read_labelled(write(tmp_path / "rows.csv", rows), "message", "spam")
    for seed in range(5):
        train, held_out = split(found.labels, seed, found.texts)
        assert sorted(train + held_out) == list(range(120))
        sides = [{found.texts[row].rstrip(".!") for row in side} for side in (train, held_out)]
        assert not sides[0] & sides[1]
        assert 20 <= len(held_out) <= 40
        assert {found.labels[row] for row in held_out} == {"yes", "no"}
