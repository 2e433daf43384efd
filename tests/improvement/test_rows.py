import gzip
import json
from pathlib import Path

import pytest

from compactlm.errors import CompactLMError
from compactlm.improvement.rows import read_fields, read_rows, replace_file, row_id, write_fields

ROWS = [{"text": 'a "good", old film', "stars": 4}, {"text": "bad\nmusic", "stars": 1}]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_rows_are_read_as_they_were_written(tmp_path, name):
    write_fields(tmp_path / name, ROWS)
    found = read_rows(tmp_path / name)
    assert found.texts == [row["text"] for row in ROWS]
    assert [(row.number, str(row.fields["stars"])) for row in found.rows] == [(1, "4"), (2, "1")]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_columns_that_some_rows_lack_are_empty_in_csv(tmp_path):
    write_fields(tmp_path / "rows.csv", [{"text": "a"}, {"text": "b", "label": "x"}])
    assert [row["label"] for row in read_fields(tmp_path / "rows.csv")] == ["", "x"]


def test_other_formats_are_read(tmp_path):
    (tmp_path / "lines.txt").write_text("one film\n\ntwo films\n")
    found = read_rows(tmp_path / "lines.txt")
    assert (found.texts, found.skipped, [row.number for row in found.rows]) == (["one film", "two films"], 1, [1, 3])
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(b'{"review": "one film"}\n'))
    assert read_rows(tmp_path / "rows.jsonl.gz", "review").texts == ["one film"]
    (tmp_path / "rows.tsv").write_text("text\tn\nold dog\t3\n")
    assert read_rows(tmp_path / "rows.tsv").texts == ["old dog"]


def test_repeated_texts_and_broken_lines_are_counted(tmp_path):
    lines = [
        '{"text": "Good film"}',
        '{"text": "good  FILM"}',
        '{"text": ',
        '{"text": 7}',
        '{"other": "x"}',
        json.dumps({"text": "\ud800 x"}),
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    found = read_rows(tmp_path / "log.jsonl")
    assert (found.texts, found.skipped, found.repeated) == (["Good film", "\ufffd x"], 3, 1)


def test_a_file_without_texts_names_the_field(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"message": "good"}\n')
    with pytest.raises(CompactLMError, match=r"rows.jsonl has no row with a text in the field 'text'; name the field with --field"):
        read_rows(tmp_path / "rows.jsonl")
    with pytest.raises(CompactLMError, match="cannot be read"):
        read_rows(tmp_path / "missing.jsonl")


def test_a_format_that_is_only_read_is_refused(tmp_path):
    with pytest.raises(CompactLMError, match=r"ends in \.jsonl or \.csv"):
        write_fields(tmp_path / "rows.parquet", ROWS)


def test_an_id_depends_on_the_text_alone():
    assert row_id("good film") == row_id("good film") != row_id("Good film")
    assert len(row_id("\ud800")) == 32


def test_a_row_with_a_lone_surrogate_is_written(tmp_path):
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": "good", "question": "\ud83d"}))
    rows = [row.fields for row in read_rows(tmp_path / "rows.jsonl").rows]
    for name in ("picked.jsonl", "picked.csv"):
        write_fields(tmp_path / name, rows)
        assert "\ufffd" in (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [".", "/", ".."])
def test_a_directory_cannot_be_replaced_by_a_file(tmp_path, monkeypatch, path):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(OSError, match=r"\[Errno"):
        replace_file(Path(path), lambda file: file.write("x"))
    assert list(tmp_path.rglob("*")) == [tmp_path / "here"]
