import io
import json
import sys
import time

import pytest

from compactlm.errors import CompactLMError
from compactlm.text.formats.lines import Line, parse_object, read_lines, read_text


def test_lines_have_numbers_and_errors(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\ntw\xff o\nthree\x0bhalves")
    found = list(read_lines(str(path)))
    assert found == [Line(1, "one"), Line(2, ""), Line(3, "tw\ufffd o", "it is not valid UTF-8"), Line(4, "three\x0bhalves")]


def test_a_broken_row_does_not_end_a_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "one"}\n{"text": \n[1]\n{"text": 3}\n{"text": "\xff"}\n{"text": "\\ud83d"}\n')
    assert [(line.text, line.error) for line in read_lines(str(path), "text")] == [
        ("one", None),
        ("", "it is not valid JSON"),
        ("", "it is not a JSON object"),
        ("", "it has no text in the field 'text'"),
        ("", "it is not valid UTF-8"),
        ("\ufffd", None),
    ]


def test_lone_surrogates_are_replaced_in_all_values_of_a_row():
    """`make fuzz` found such a row in `pick`, which writes all fields of a row."""
    row = parse_object(r'{"text": "a \ud83d b", "more": [{"\ud800": ["\udcff", 1, null]}], "pair": "\ud83d\ude00"}')
    assert row == {"text": "a \ufffd b", "more": [{"\ufffd": ["\ufffd", 1, None]}], "pair": "\U0001f600"}
    json.dumps(row, ensure_ascii=False).encode()


def test_a_dash_reads_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"eins\nzwei\n")))
    assert read_text("-") == "eins\nzwei"


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_an_unreadable_file_is_refused(tmp_path, name):
    with pytest.raises(CompactLMError, match=r"cannot be read"):
        list(read_lines(str(tmp_path / name)))


def test_a_repeated_key_among_many_is_found_in_seconds():
    keys = [f"k{number}" for number in range(200_000)]
    start = time.process_time()
    with pytest.raises(ValueError, match="the key 'k199999' twice"):
        parse_object("{" + ", ".join(f"{json.dumps(key)}: 1" for key in [*keys, keys[-1]]) + "}")
    assert time.process_time() - start < 50
