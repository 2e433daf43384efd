import json

import pytest

from compactlm.improvement.labelling.answers import read_answers
from compactlm.improvement.rows import read_fields

LABELS = ["negative", "positive"]


@pytest.fixture(autouse=True)
def model(monkeypatch, export_root, tmp_path):
    monkeypatch.setenv("COMPACTLM_MODEL", str(export_root))
    monkeypatch.chdir(tmp_path)
    rows = [{"text": f"text {at}", "picked_by": "random", "predicted": "positive"} for at in range(4)]
    (tmp_path / "picked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_rows_are_labelled_by_keys_and_the_command_goes_on_where_it_stopped(cli, tmp_path):
    status, output, errors = cli("label", "picked.jsonl", given=b"12q")
    assert (status, errors) == (0, "")
    assert output.splitlines()[-2:] == [
        "2 rows are left; run the command again to go on",
        "picked.labelled.jsonl: 2 rows with a label, 0 skipped",
    ]
    assert "predicted" not in output
    status, output, _ = cli("label", "picked.jsonl", given=b"1\nu\n2\ns\n")
    assert output.splitlines()[1:3] == ["3/4  text 2", "[1] negative  [2] positive  [s] skip  [u] undo  [q] quit"]
    assert output.splitlines()[-1] == "picked.labelled.jsonl: 3 rows with a label, 1 skipped"
    found = read_answers(tmp_path / "picked.labelled.jsonl", LABELS)
    assert [(row.text, row.label, row.picked_by) for row in found.rows] == [
        ("text 0", "negative", "random"),
        ("text 1", "positive", "random"),
        ("text 2", "positive", "random"),
    ]


def test_names_with_invalid_utf_8_are_written_and_a_directory_is_refused(cli, tmp_path):
    assert cli("label", "picked.jsonl", "--annotator", "bo\udcff", "--labels", "a\udcff,b", given=b"1q")[0] == 0
    [row] = read_fields(tmp_path / "picked.labelled.jsonl")
    assert (row["annotator"], row["label"]) == ("bo\ufffd", "a\ufffd")
    assert cli("label", ".")[::2] == (1, "compactlm: . is a directory; name a file of rows\n")


def test_two_annotators_are_compared_and_can_settle_their_differences(cli):
    cli("label", "picked.jsonl", "--annotator", "ann", given=b"1122")
    output = cli("label", "picked.jsonl", "--annotator", "bo", given=b"1222")[1].replace("\u00a0", " ")
    assert "ann and bo: 75.0 % of 4 rows have equal labels, Cohen's kappa 0.500; 1 differ" in output
    assert "3 rows with a label, 1 on which annotators differ (answer them again with --differing)" in output
    output = cli("label", "picked.jsonl", "--annotator", "bo", "--differing", given=b"1")[1]
    assert output.count("text ") == 1
    assert "4 rows with a label, 0 skipped" in output
    assert "no rows on which annotators differ" in cli("label", "picked.jsonl", "--annotator", "bo", "--differing")[1]


def test_labels_come_from_an_export(cli, tmp_path):
    rows = [
        {
            "id": at,
            "data": {"text": f"text {at}", "picked_by": "random"},
            "annotations": [
                {"completed_by": who, "result": [{"type": "choices", "from_name": "l", "value": {"choices": [LABELS[at % 2]]}}]}
                for who in (1, 2)
            ],
        }
        for at in range(4)
    ]
    (tmp_path / "project.json").write_text(json.dumps(rows))
    status, output, _ = cli("label", "project.json", "--from-export")
    assert status == 0
    assert "1 and 2: 100.0" in output
    assert output.splitlines()[-1] == "project.labelled.jsonl: 4 rows with a label, 0 skipped"
    assert [row["picked_by"] for row in read_fields(tmp_path / "project.labelled.jsonl")] == ["random"] * 8
    status, _, errors = cli("label", "project.json", "--from-export", "--labels", "bad,good", "--output", "other.jsonl")
    assert status == 1
    assert "'negative' is no label of the task; write one of: bad, good" in errors
    assert not (tmp_path / "other.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("picked.jsonl", "--output", "picked.csv"), "picked.csv cannot hold the answers; pass another path that ends in .jsonl"),
        (("picked.jsonl", "--output", "picked.jsonl"), "picked.jsonl cannot hold the answers"),
        (("picked.jsonl", "--task", "topic"), "there is no task 'topic'"),
        (("picked.jsonl", "--field", "body"), "no row with a text in the field 'body'"),
        (("missing.jsonl",), "missing.jsonl cannot be read"),
        (("picked.jsonl", "--from-export"), "has no answers"),
    ],
)
def test_a_wrong_option_ends_in_one_sentence(cli, arguments, message):
    status, _, errors = cli("label", *arguments)
    assert status == 1
    assert message in errors
