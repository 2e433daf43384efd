import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compactlm.corpus.formats import read_rows
from compactlm.errors import CompactLMError
from compactlm.params import Format


def read(content: bytes, form: Format, *, header: bool = True, encoding: str = "utf-8") -> list[tuple[str, dict[str | int, object]]]:
    return [(place, dict(row)) for place, row in read_rows(content, "f", form, header=header, encoding=encoding)]


def test_csv_has_names_and_positions_and_quoting() -> None:
    assert read(b'a,b\n"x,\ny",1\n\n', "csv") == [("line 3", {"a": "x,\ny", "b": "1", 0: "x,\ny", 1: "1"})]


def test_tsv_has_no_quoting_and_splits_lines_at_line_feeds_alone() -> None:
    content = 'id1\t"open\r\n\nid2\ta\u2028b\n'.encode()
    assert read(content, "tsv", header=False) == [("line 1", {0: "id1", 1: '"open'}), ("line 3", {0: "id2", 1: "a\u2028b"})]


def test_jsonl_and_txt_and_a_byte_order_mark() -> None:
    assert read(b'{"t": "x"}\n\n{"t": null}\n', "jsonl") == [("line 1", {"t": "x"}), ("line 3", {"t": None})]
    assert read(b"\xef\xbb\xbfone\n \ntwo", "txt") == [("line 1", {"text": "one", 0: "one"}), ("line 3", {"text": "two", 0: "two"})]


def test_parquet_has_names_and_positions() -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": ["x", "y"], "n": [1, 2]}), buffer)
    assert read(buffer.getvalue(), "parquet")[1] == ("row 1", {"a": "y", "n": 2, 0: "y", 1: 2})


def test_gzip_is_unpacked_whatever_the_format() -> None:
    assert read(gzip.compress(b"a\tb\n1\t2\n"), "tsv")[0][1]["b"] == "2"


@pytest.mark.parametrize(
    ("content", "form", "encoding", "message"),
    [
        (b"ok\nbad \xff byte\n", "txt", "utf-8", r"f is not valid utf-8 at byte 7 \(line 2: byte 0xff\)"),
        (b"x", "txt", "utf-99", r"'utf-99' is no known encoding"),
        (gzip.compress(b"text " * 99)[:-9], "txt", "utf-8", r"f is a damaged or truncated gzip file"),
        (b'a\n"open', "csv", "utf-8", r"f is not valid csv at line 2"),
        (b'{"t": 1}\n{"t', "jsonl", "utf-8", r"f is not valid jsonl at line 2"),
        (b"[1]\n", "jsonl", "utf-8", r"f has no JSON object at line 1"),
        (b"PAR1 no", "parquet", "utf-8", r"f cannot be read as parquet"),
    ],
)
def test_broken_bytes_end_in_one_sentence_with_the_place(content: bytes, form: Format, encoding: str, message: str) -> None:
    with pytest.raises(CompactLMError, match=message) as caught:
        read(content, form, encoding=encoding)
    assert "\n" not in str(caught.value)
