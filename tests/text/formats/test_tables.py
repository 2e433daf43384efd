import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from compactlm.errors import CompactLMError
from compactlm.params import Format
from compactlm.text.formats import allowance, delimited, tables
from compactlm.text.formats.tables import stream_rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "f"


def read(path: Path, form: Format, *, header: bool = True, encoding: str = "utf-8") -> list[tuple[str, dict[str | int, object]]]:
    return [(place, dict(row)) for place, row in stream_rows(path, str(path), form, header=header, encoding=encoding)]


CONTENTS = st.one_of(
    st.binary(max_size=60),
    st.lists(st.sampled_from([b"a", b"\t", b",", b'"', b"\n", b"\r\n", b"\r", b"\xef\xbb\xbf", b"\x00", b"\xff", b'{"t": 1}', b"[1]"])).map(
        b"".join
    ),
)


def expected_rows(content: bytes, form: Format, header: bool, encoding: str) -> list[tuple[str, dict[str | int, object]]]:
    """Return the rows of the content, read as a whole, or raise a ValueError."""
    text = content.decode(encoding).removeprefix("\ufeff")
    numbered = [(number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), start=1)]
    lines = [(number, line) for number, line in numbered if line.strip()]
    if form == "txt":
        return [(f"line {number}", {"text": line, 0: line}) for number, line in lines]
    if form == "jsonl":
        rows = [(f"line {number}", json.loads(line)) for number, line in lines]
        if not all(isinstance(row, dict) for _, row in rows):
            raise ValueError
        return rows
    quoted = form == "tsv" and bool(lines) and all(len(cell) > 1 and cell[0] == '"' == cell[-1] for cell in lines[0][1].split("\t"))
    if form == "tsv" and not quoted:
        table = [(number, line.split("\t")) for number, line in lines]
    else:
        content_of_csv = "\n".join(line for _, line in lines) + "\n" if quoted else text
        reader = csv.reader(io.StringIO(content_of_csv, newline=""), strict=True, delimiter="\t" if quoted else ",")
        try:
            table = [(reader.line_num, cells) for cells in reader if any(cells)]
        except csv.Error:
            raise ValueError from None
    names = table.pop(0)[1] if header and table else []
    if len(names) == 1 and any(other in names[0] for other in ";\t|" if not quoted or other != "\t"):
        raise ValueError
    if any(name.strip() and names.count(name) > 1 for name in names):
        raise ValueError
    if header and any(cell.strip() for _, cells in table for cell in cells[len(names) :]):
        raise ValueError
    return [(f"line {number}", dict(enumerate(cells)) | dict(zip(names, cells, strict=False))) for number, cells in table]


@given(CONTENTS, st.sampled_from(["csv", "tsv", "jsonl", "txt"]), st.booleans(), st.sampled_from(["utf-8", "latin-1", "utf-16-le"]))
def test_rows_read_in_parts_equal_those_of_the_whole_text(file: Path, content: bytes, form: Format, header: bool, encoding: str) -> None:
    assume(not content.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")))  # gzip and Zstandard, whose tests are below
    file.write_bytes(content)
    try:
        expected = expected_rows(content, form, header, encoding)
    except ValueError:
        with pytest.raises(CompactLMError) as caught:
            read(file, form, header=header, encoding=encoding)
        assert "\n" not in str(caught.value)
    else:
        assert read(file, form, header=header, encoding=encoding) == expected


@pytest.mark.parametrize(
    ("form", "header", "content", "rows"),
    [
        ("csv", True, b'a,b\n"x,\ny",1\n\n', [("line 3", {"a": "x,\ny", "b": "1", 0: "x,\ny", 1: "1"})]),
        ("csv", True, b"a\nx, \n", [("line 2", {"a": "x", 0: "x", 1: " "})]),  # an empty cell beyond the header
        ("tsv", False, 'i\t"o\r\n\nj\ta\u2028b\n'.encode(), [("line 1", {0: "i", 1: '"o'}), ("line 3", {0: "j", 1: "a\u2028b"})]),
        ("jsonl", True, b'{"t": "x"}\n\n{"t": null}\n', [("line 1", {"t": "x"}), ("line 3", {"t": None})]),
        ("txt", True, b"\xef\xbb\xbfone\n \ntwo", [("line 1", {"text": "one", 0: "one"}), ("line 3", {"text": "two", 0: "two"})]),
        *((form, True, b"", []) for form in ("csv", "jsonl", "txt")),
    ],
)
def test_rows_have_places_names_and_positions(file: Path, form: Format, header: bool, content: bytes, rows: list[Any]) -> None:
    file.write_bytes(content)
    assert read(file, form, header=header) == rows


@pytest.mark.parametrize(
    ("content", "form", "encoding", "message"),
    [
        (b"ok\nbad \xff byte\n", "txt", "utf-8", r"f is not valid utf-8 in line 2 \(byte 0xff\); .* encoding"),
        (b"line\n" * 20_000 + b"bad \xff\n" + b"line\n" * 9_999, "txt", "utf-8", r"f is not valid utf-8 in line 20001 \(byte 0xff\)"),
        (b"x", "txt", "utf-99", r"'utf-99'"),
        (b"a\x00b\x00", "txt", "utf-16", r"f is not valid utf-16 \(UTF-16 stream does not start with BOM\)"),
        (b"t,n\nhello,1\nhello, you,2\n", "csv", "utf-8", r"f has 3 cells at line 3 but 2 names in its header; .* quotes"),
        (b"t\tn\nhello\tyou\t2\n", "tsv", "utf-8", r"f has 3 cells at line 2 but 2 names in its header; .* tabs"),
        (b'a\n"open', "csv", "utf-8", r"f is not valid csv at line 2"),
        (b'{"t": 1}\n{"t', "jsonl", "utf-8", r"f is not valid jsonl at line 2"),
        (b"[1]\n", "jsonl", "utf-8", r"f is not valid jsonl at line 1 \(it is not a JSON object\)"),
        pytest.param(b'{"t": ' + b"[" * 100_000, "jsonl", "utf-8", "f is not valid jsonl at line 1", id="nested"),
        pytest.param(b'{"u": "\\ud83d", "t": ' + b"[" * 700 + b"]" * 700 + b"}", "jsonl", "utf-8", "f is not valid jsonl", id="escaped"),
        pytest.param(b'{"t": ' + b"9" * 5_000 + b"}", "jsonl", "utf-8", "f is not valid jsonl at line 1", id="digits"),
        (b'[{"t": 1}, {"t": 2}]', "jsonl", "utf-8", r"f is a JSON array .* \(line 1\); write one JSON object per line"),
        (b'\n{\n  "t": 1\n}\n', "jsonl", "utf-8", r"f is a JSON array or has objects over several lines \(line 2\)"),
        (b'{"t": 1}\n{"t": 1, "u": {"v": 1}, "t": 2}\n', "jsonl", "utf-8", r"f is not valid jsonl at line 2 \(it has the key 't' twice\)"),
        (b"PAR1 no", "parquet", "utf-8", r"f cannot be read as parquet"),
    ],
)
def test_invalid_content_is_refused_with_its_line(file: Path, content: bytes, form: Format, encoding: str, message: str) -> None:
    file.write_bytes(content)
    with pytest.raises(CompactLMError, match=message) as caught:
        read(file, form, encoding=encoding)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: pa.compress(content, "zstd", asbytes=True)], ids=["gzip", "zstd"])
def test_packed_files_of_any_name_and_of_several_parts_are_unpacked(file: Path, pack: Callable[[bytes], bytes]) -> None:
    file.write_bytes(pack(b"a\tb\n1\t2\n") + pack(b"3\t4\n"))
    assert [row["b"] for _, row in read(file, "tsv")] == ["2", "4"]
    file.write_bytes(pack("\n".join(str(number**3) for number in range(9_000)).encode())[:-20])
    with pytest.raises(CompactLMError, match="damaged or truncated packed file"):
        read(file, "txt")


def test_parquet_is_read_in_batches(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_BATCH", 2)
    pq.write_table(pa.table({"a": ["x", "y", "z"], "n": [{"m": 1}, {"m": 2}, None]}), file)
    assert read(file, "parquet")[1:] == [
        ("row 1", {"a": "y", "n": {"m": 2}, 0: "y", 1: {"m": 2}}),
        ("row 2", {"a": "z", "n": None, 0: "z", 1: None}),
    ]
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(CompactLMError, match="f cannot be read as parquet"):
        read(file, "parquet")
    pq.write_table(pa.table({"when": pa.array([2**58], pa.timestamp("us"))}), file)
    with pytest.raises(CompactLMError, match=r"f cannot be read as parquet \(date value out of range\)"):
        read(file, "parquet")


def test_a_file_that_unpacks_to_many_times_its_size_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "EXPANSION_FROM", 1_000_000)
    file.write_bytes(gzip.compress(b"\n" * 3_000_000))
    with pytest.raises(CompactLMError, match="unpacks to more than 200 times its size"):
        read(file, "txt")


@pytest.mark.parametrize(
    ("form", "content"), [("txt", b"ok\n" + b"x" * 2_000), ("csv", b'a\n"' + b"open\n" * 500), ("jsonl", b'{"t": "' + b"x" * 2_000)]
)
def test_a_very_long_line_is_refused(file: Path, form: Format, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "LONGEST_LINE", 1_000)
    file.write_bytes(content)
    with pytest.raises(CompactLMError, match=r"has more than 1,000 characters in line \d|not valid csv at line \d+ \(field larger"):
        read(file, form)


def test_the_first_line_is_returned_before_the_file_is_read_to_its_end(file: Path) -> None:
    file.write_bytes(b"line\n" * 200_000)
    sizes: list[int] = []

    class Watched(io.BufferedReader):
        def read1(self, size: int = -1) -> bytes:
            data = super().read1(size)
            sizes.append(len(data))
            return data

    rows = tables._lines(Watched(file.open("rb")), "f", "utf-8", "\n", "")  # type: ignore[arg-type]
    assert next(rows) == "line\n"
    assert 0 < sum(sizes) < 100_000


@pytest.mark.parametrize("form", ["txt", "parquet"])
def test_a_missing_file_is_refused(file: Path, form: Format) -> None:
    with pytest.raises(CompactLMError, match="does not exist"):
        read(file, form)


def test_bytes_are_read_like_files(file: Path) -> None:
    packed = gzip.compress(b"a,b\n1,2\n")
    file.write_bytes(packed)
    assert list(stream_rows(packed, "f", "csv", header=True, encoding="utf-8")) == read(file, "csv")
    pq.write_table(pa.table({"a": ["x"]}), file)
    assert list(stream_rows(file.read_bytes(), "f", "parquet", header=True, encoding="utf-8")) == read(file, "parquet")
