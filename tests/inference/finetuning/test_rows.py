import gzip
import json

import pytest

from compactlm.errors import CompactLMError
from compactlm.inference.finetuning.rows import TaskRows, hold_out, read_rows

CONLL = "the O\nold B-ADJ\n{} B-NOUN\n\n"


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def csv(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def squad(path, questions):
    entries = [{"question": f"who {number}?", "id": str(number), **rest} for number, rest in enumerate(questions)]
    paragraphs = [{"context": f"a dog number {number} ran", "qas": [entry]} for number, entry in enumerate(entries)]
    path.write_text(json.dumps({"data": [{"title": "dogs", "paragraphs": paragraphs}]}))
    return path


def test_the_column_of_the_target_decides_the_kind(tmp_path):
    rows = [{"t": f"text {n}", "p": f"pair {n}", "y": n % 2, "z": n / 4, "l": ["a", "b"][: n % 3]} for n in range(40)]
    path = jsonl(tmp_path / "rows.jsonl", rows)
    found = read_rows(path, {"text": "t", "pair": "p", "label": "y"})
    assert (found.task.kind, found.task.labels, found.task.pair) == ("classification", ["0", "1"], True)
    assert (found.rows[3].text, found.rows[3].pair, found.rows[3].label) == ("text 3", "pair 3", "1")
    found = read_rows(path, {"text": "t", "labels": "l", "label": None})
    assert (found.task.kind, found.task.labels, found.task.pair) == ("multilabel", ["a", "b"], False)
    assert [row.labels for row in found.rows[:3]] == [(), ("a",), ("a", "b")]
    found = read_rows(path, {"text": "t", "score": "z"})
    assert (found.task.kind, found.task.labels, found.rows[5].score) == ("regression", [], 1.25)


def test_several_labels_of_a_cell_and_of_columns(tmp_path):
    rows = [f"text {n},{' | '.join(['Red', 'blue', 'red'][: n % 4])}" for n in range(32)]
    found = read_rows(csv(tmp_path / "rows.csv", "t,l", rows), {"text": "t", "labels": {"column": "l", "separator": "|"}})
    assert found.task.labels == ["Red", "blue", "red"]
    assert [row.labels for row in found.rows[:4]] == [(), ("Red",), ("Red", "blue"), ("Red", "blue", "red")]
    rows = [f"text {n},{n % 2},{('true', 'False')[n % 2]}" for n in range(32)]
    found = read_rows(csv(tmp_path / "rows.csv", "t,a,b", rows), {"text": "t", "labels": {"columns": {"a": "a", "b": "b"}}})
    assert [row.labels for row in found.rows[:2]] == [("b",), ("a",)]


def test_conll_and_squad_need_no_columns(tmp_path):
    path = tmp_path / "names.conll"
    path.write_text("".join(CONLL.format(f"dog{n}") for n in range(20)) + "blank O\n\n")
    found = read_rows(path, {"text": None, "tags": None})
    assert (found.task.kind, found.task.labels, found.task.metric) == ("tagging", ["ADJ", "NOUN"], "entity_f1")
    assert (found.rows[0].words, found.rows[0].tags) == (("the", "old", "dog0"), ("O", "B-ADJ", "B-NOUN"))
    packed = tmp_path / "parts.conll.gz"
    packed.write_bytes(gzip.compress("".join(f"the\tDET\tO\ndog{n}\tNOUN\tO\n\n" for n in range(20)).encode()))
    found = read_rows(packed, {"tags": "1"})
    assert (found.task.labels, found.task.metric) == (["DET", "NOUN"], "token_accuracy")
    answers = [{"answers": [{"text": "dog", "answer_start": 2}]} if n % 2 else {"answers": [], "is_impossible": True} for n in range(20)]
    found = read_rows(squad(tmp_path / "dogs.json", answers), {})
    assert (found.task.kind, len(found.rows), found.left_out) == ("span", 20, 0)
    assert (found.rows[1].pair, found.rows[1].answer, found.rows[1].answer_start) == ("who 1?", "dog", 2)
    assert (found.rows[0].answer, found.rows[0].answer_start) == (None, -1)


def test_rows_that_cannot_be_used_are_skipped_and_counted(tmp_path):
    rows = [{"t": f"text {n}", "z": n} for n in range(20)]
    path = jsonl(tmp_path / "rows.jsonl", [*rows, rows[3], {"t": " ", "z": 1}, {"t": "none", "z": None}, {"t": "missing"}])
    found = read_rows(path, {"text": "t", "score": "z"})
    assert ([row.score for row in found.rows], found.left_out) == ([float(n) for n in range(20)], 4)
    rows = [{"t": f"the dog {n} ran", "q": "who?", "a": f"dog {n}"} for n in range(20)]
    path = jsonl(tmp_path / "rows.jsonl", [*rows, {"t": "a cat", "q": "who?", "a": "dog"}, {"t": "a cat", "q": "", "a": "cat"}])
    found = read_rows(path, {"text": "t", "pair": "q", "answer": "a"})
    assert (len(found.rows), found.left_out) == (20, 2)
    assert all(row.text[row.answer_start :].startswith(row.answer) for row in found.rows)


def test_texts_whose_answers_contradict_each_other_are_left_out(tmp_path):
    rows = [{"t": f"text {n}", "p": "b", "y": "yno"[n % 2]} for n in range(40)]
    again = [{"t": "TEXT  3", "p": "B", "y": "y"}, {"t": "text 5", "p": "b", "y": "n"}, {"t": "text 6", "p": "c", "y": "n"}]
    found = read_rows(jsonl(tmp_path / "rows.jsonl", [*rows, *again]), {"text": "t", "pair": "p", "label": "y"})
    assert (len(found.rows), found.left_out) == (40, 3)
    assert not {row.text for row in found.rows} & {"text 3", "TEXT  3"}
    rows = [{"t": f"text {n}", "z": n} for n in range(20)]
    found = read_rows(jsonl(tmp_path / "rows.jsonl", [*rows, {"t": "text 3", "z": 4}]), {"text": "t", "score": "z"})
    assert len(found.rows) == 21


TEXTS = [f"text {n},{n}" for n in range(20)]


@pytest.mark.parametrize(
    ("header", "rows", "columns", "message"),
    [
        ("t,y", TEXTS, {"text": "t"}, r"says what the model learns, but none is named; pass one of --label, --labels, --score"),
        ("t,y", TEXTS, {"text": "t", "label": "y", "score": "y"}, "but --label and --score are named"),
        ("t,y", TEXTS, {"score": "y"}, "the column of the text is not named; pass --text"),
        ("t,y", TEXTS, {"words": "t", "text": "t", "tags": "y"}, "text and words are both set"),
        ("t,y", TEXTS, {"text": "t", "tags": "y"}, "tags is set, but words is null; name the column of the words"),
        ("t,y", TEXTS, {"text": "t", "answer": "y"}, "answer is set, but pair is null; name the column of the question"),
        ("t,y", TEXTS, {"text": "t", "score": "z"}, r"rows.csv, line 2: the column 'z' of --score does not exist \(columns here: "),
        ("t,y", TEXTS, {"text": "x", "score": "y"}, "rows.csv, line 2: the column 'x' of --text does not exist"),
        (
            "t,y",
            [*TEXTS, "a,ten"],
            {"text": "t", "score": "y"},
            "rows.csv, line 22: the score column 'y' holds 'ten', which is not a finite",
        ),
        ("t,y", [*TEXTS, "a,inf"], {"text": "t", "score": "y"}, "line 22: the score column 'y' holds inf"),
        ("t,y", [*TEXTS, "a,nan"], {"text": "t", "score": "y"}, "line 22: the score column 'y' holds 'nan'"),
        ("t,y", TEXTS, {"text": "t", "labels": "y"}, "column 'y' of --labels holds '0', which is not a list; set --separator to what"),
        ("t,y", TEXTS, {"text": "t", "labels": {"columns": {"y": "y", "t": "t"}}}, "which is not true or false"),
        ("w,y", ["a b,O"] * 3, {"words": "w", "tags": "y"}, "line 2: the row has 2 words but 1 tags; give each word a tag"),
        ("w,y", [f"a{n} b,O O" for n in range(20)], {"words": "w", "tags": "y"}, "has 1 different tags; add rows with others"),
        ("t,y", [f"text {n},3" for n in range(20)], {"text": "t", "score": "y"}, r"all rows of .* have the same answer \(3\)"),
        ("t,y", [f"text {n}," for n in range(20)], {"text": "t", "labels": {"column": "y", "separator": "|"}}, "has 0 labels"),
        ("t,y", TEXTS[:15], {"text": "t", "score": "y"}, "has 15 rows to learn from; fine-tuning needs 16 or more"),
        (
            "t,p,y",
            [f"a{n},b,{n > 10}" for n in range(30)],
            {"text": "t", "pair": "p", "label": "y"},
            "has 11 different rows of the label 'f",
        ),
        (
            "t,p,y",
            [f"a{n},b,x" for n in range(30)],
            {"text": "t", "pair": "p", "label": "y"},
            "has 1 labels; add rows of two or more labels",
        ),
    ],
)
def test_rows_that_do_not_fit_are_one_sentence(tmp_path, header, rows, columns, message):
    path = csv(tmp_path / "rows.csv", header, rows)
    with pytest.raises(CompactLMError, match=message) as caught:
        read_rows(path, columns)
    assert "params.yaml" not in str(caught.value)
    assert "columns." not in str(caught.value)


def test_unknown_formats_and_missing_files_are_one_sentence(tmp_path):
    for name, content, message in (
        ("rows.doc", "a", r"has no known format; pass a file that ends in \.csv"),
        ("rows.txt", "a", "has texts alone, but no labels"),
        ("rows.json", '{"a": 1}\n{"a": 2}\n', r"is not valid JSON at line 2; correct it, or name a file with an object a line \.jsonl"),
        ("none.csv", None, "none.csv cannot be read"),
        ("rows.conll", "a B-x\nb\n", "has 1 columns at line 2, but 2 at line 1"),
    ):
        if content is not None:
            (tmp_path / name).write_text(content)
        with pytest.raises(CompactLMError, match=message):
            read_rows(tmp_path / name, {} if name.endswith(("json", "conll")) else {"text": "a", "score": "b"})


def test_a_quarter_is_held_out_and_no_text_is_on_both_sides(tmp_path):
    rows = [{"q": f"question {n}", "p": f"passage {n // 4}", "y": n % 2} for n in range(200)]
    found = read_rows(jsonl(tmp_path / "rows.jsonl", rows), {"text": "q", "pair": "p", "label": "y"})
    train, held_out, groups = hold_out(found, 3)
    assert sorted(train + held_out) == list(range(200))
    assert 40 <= len(held_out) <= 60
    sides = [{found.rows[row].pair for row in side} for side in (train, held_out)]
    assert not sides[0] & sides[1]
    assert len(set(groups)) == 50  # passages repeat more often than questions
    assert hold_out(found, 3)[:2] == (train, held_out) != hold_out(found, 4)[:2]


def test_rare_answers_are_not_all_held_out(tmp_path):
    rows = [{"t": f"text {n}", "l": [f"label {n}"] if n < 12 else ["common"]} for n in range(100)]
    found = read_rows(jsonl(tmp_path / "rows.jsonl", rows), {"text": "t", "labels": "l"})
    train, held_out, _ = hold_out(found, 0)
    assert any(row < 12 for row in train)
    assert len(held_out) == 25


def test_a_row_of_json_without_the_label_is_skipped(tmp_path):
    rows = [{"t": f"text {n}", "p": "pair", "y": n % 2} for n in range(40)]
    found = read_rows(jsonl(tmp_path / "rows.jsonl", [{"t": "first", "p": "pair"}, *rows]), {"text": "t", "pair": "p", "label": "y"})
    assert (len(found.rows), found.left_out) == (40, 1)


def test_types_of_entities_that_make_no_task_are_one_sentence(tmp_path):
    path = tmp_path / "rows.conll"
    path.write_text("".join(f"dog{n} B-O\nran O\n\n" for n in range(20)))
    with pytest.raises(CompactLMError, match="the labels of the rows make no task: labels lists 'O' beside"):
        read_rows(path, {})


def test_rows_of_one_text_cannot_be_divided(tmp_path):
    rows = [{"t": "the same", "q": f"question {n}", "a": ["the", "same", None][n % 3]} for n in range(40)]
    found = read_rows(jsonl(tmp_path / "rows.jsonl", rows), {"text": "t", "pair": "q", "answer": "a"})
    assert isinstance(found, TaskRows)
    with pytest.raises(CompactLMError, match="the rows have 1 different texts; some are held out, so 8 or more are needed"):
        hold_out(found, 0)
