import io
import sys

import pytest

from compactlm.errors import CompactLMError
from compactlm.text.lines import Line, read_lines, read_text


def test_every_line_has_its_place(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\ntw\xff o\nthree\x0bhalves")
    found = list(read_lines(str(path)))
    assert found == [Line(1, "one"), Line(2, ""), Line(3, "tw\ufffd o", "it is not valid UTF-8"), Line(4, "three\x0bhalves")]


def test_a_broken_row_does_not_end_a_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "one"}\n{"text": \n[1]\n{"text": 3}\n{"text": "\xff"}\n{"text": "\\ud83d"}\n')
    found = list(read_lines(str(path), "text"))
    assert [line.text for line in found] == ["one", "", "", "", "", "\ufffd"]
    assert [line.error for line in found] == [
        None,
        "it is not valid JSON",
        "it is not a JSON object",
        "it has no text in the field 'text'",
        "it is not valid UTF-8",
        None,
    ]


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"eins\nzwei\n")))
    assert read_text("-") == "eins\nzwei"


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_a_file_that_cannot_be_read(tmp_path, name):
    with pytest.raises(CompactLMError, match=r"cannot be read .*; name a readable file"):
        list(read_lines(str(tmp_path / name)))
