import json
from collections import Counter

import pytest

from compactlm.improvement.rows import read_fields


@pytest.fixture(autouse=True)
def model(monkeypatch, watched_root, tmp_path):
    monkeypatch.setenv("COMPACTLM_MODEL", str(watched_root))
    monkeypatch.chdir(tmp_path)


def write(path, texts):
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def test_rows_are_picked_and_written(cli, tmp_path, tiny_texts):
    path = write(tmp_path / "new.jsonl", [*tiny_texts, tiny_texts[0]])
    status, output, errors = cli("pick", path, "-n", "40")
    assert status == 0
    assert (
        output
        == "picked.jsonl: 40 of 144 rows (8 by diversity, 20 by margin, 12 at random); label them with `compactlm label picked.jsonl`\n"
    )
    assert errors == f"compactlm: 1 rows of {path} are left out because they repeat the text of an earlier row\n"
    rows = list(read_fields(tmp_path / "picked.jsonl"))
    assert Counter(row["picked_by"] for row in rows) == {"diversity": 8, "margin": 20, "random": 12}
    assert {row["predicted"] for row in rows} <= {"negative", "positive"}
    before = (tmp_path / "picked.jsonl").read_bytes()
    cli("pick", path, "-n", "40")
    assert (tmp_path / "picked.jsonl").read_bytes() == before


def test_labelled_rows_are_not_picked_again(cli, tmp_path, tiny_texts):
    path, done = write(tmp_path / "new.jsonl", tiny_texts), write(tmp_path / "done.jsonl", [text.upper() for text in tiny_texts[:140]])
    assert cli("pick", path, "--labelled", done, "--output", "more.csv")[0] == 0
    assert sorted(row["text"] for row in read_fields(tmp_path / "more.csv")) == sorted(tiny_texts[140:])
    status, _, errors = cli("pick", done, "--labelled", done)
    assert status == 1
    assert f"all rows of {done} are in {done}" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--random", "0.8", "--diversity", "0.4"), "are more than 1 together; lower one of them"),
        (("--output", "rows.parquet"), r"ends in .jsonl or .csv"),
        (("--task", "topic"), "has no reference sample"),
    ],
)
def test_a_wrong_option_ends_in_one_sentence(cli, tmp_path, tiny_texts, arguments, message):
    status, output, errors = cli("pick", write(tmp_path / "new.jsonl", tiny_texts[:40]), *arguments)
    assert (status, output) == (1, "")
    assert message in errors
