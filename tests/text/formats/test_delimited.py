from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compactlm.errors import CompactLMError
from compactlm.params import Format
from compactlm.text.formats.tables import stream_rows


def read(content: str, form: Format = "csv", *, header: bool = True, delimiter: str = ",") -> list[dict[str | int, object]]:
    return [dict(row) for _, row in stream_rows(content.encode(), "f", form, header=header, encoding="utf-8", delimiter=delimiter)]


def test_an_unclosed_quote_is_reported_where_its_row_begins() -> None:
    with pytest.raises(CompactLMError, match=r"f is not valid csv at line 3 \(unexpected end of data, in a row that reaches line 12\)"):
        read("a,b\n1,2\n" + '"open,2\n' + "3,4\n" * 9)


def test_a_row_of_many_lines_is_told_once_with_its_first_line(capsys: pytest.CaptureFixture[str]) -> None:
    swallowed = '"he said\n' + "3,4\n" * 300 + 'x",2\n'
    assert len(read("a,b\n1,2\n" + swallowed * 2)) == 3
    told = capsys.readouterr().err.splitlines()
    assert told == ["warning: f has a row from line 3 to line 304; if these are several rows, close the quote there"]
    read("a\n" + '"one\ntwo\nthree"\n' * 200)
    assert not capsys.readouterr().err


def test_a_quoted_tsv_loses_its_quotes_and_others_keep_theirs() -> None:
    assert read('"a"\t"b"\n"x\ty"\t"say ""no"""\n', "tsv")[0] == {0: "x\ty", 1: 'say "no"', "a": "x\ty", "b": 'say "no"'}
    assert read('a\tb\n"x"\t1\n', "tsv")[0]["a"] == '"x"'
    assert read('"a"\tb\n"x"\t1\n', "tsv")[0] == {0: '"x"', 1: "1", '"a"': '"x"', "b": "1"}


def test_a_tsv_with_a_column_in_quotes_is_read_like_csv() -> None:
    rows = '"x"\t1\n"say ""no"""\t0\n"z"\t1\n'
    expected = [("x", "1"), ('say "no"', "0"), ("z", "1")]
    assert [(row["a"], row["b"]) for row in read(f"a\tb\n{rows}", "tsv")] == expected
    assert [(row[0], row[1]) for row in read(f'"w"\t1\n{rows}', "tsv", header=False)] == [("w", "1"), *expected]


def test_a_quoted_cell_among_others_loses_its_quotes() -> None:
    content = 'a\tb\n"say ""no"""\t1\n"x"\t1\n"x" or ""\t0\n""\t1\n"""\t1\n'
    assert [row["a"] for row in read(content, "tsv")] == ['say "no"', '"x"', '"x" or ""', '""', '"""']


@pytest.mark.parametrize(("delimiter", "written"), [(";", "';'"), ("\t", r"'\\t'"), ("|", r"'\|'")])
def test_another_delimiter_can_be_set_and_is_named(delimiter: str, written: str) -> None:
    content = f"a{delimiter}b\nx, y{delimiter}2\n"
    assert read(content, delimiter=delimiter) == [{0: "x, y", 1: "2", "a": "x, y", "b": "2"}]
    with pytest.raises(CompactLMError, match=rf"f has the single column .*; set delimiter: {written} for the source"):
        read(content)
    assert read("one; two\n", header=False) == [{0: "one; two"}]


def _parquet(directory: Path) -> bytes:
    pq.write_table(pa.table([pa.array(["x"]), pa.array(["y"])], names=["t", "t"]), directory / "f")
    return (directory / "f").read_bytes()


@pytest.mark.parametrize(
    ("form", "content"), [("csv", lambda _: b"t,u,t\n1,2,3\n"), ("tsv", lambda _: b"t\tt\n1\t2\n"), ("parquet", _parquet)]
)
def test_columns_with_one_name_are_refused(tmp_path: Path, form: Format, content: Callable[[Path], bytes]) -> None:
    with pytest.raises(CompactLMError, match="f has two columns with the name 't'; rename or remove one of them"):
        list(stream_rows(content(tmp_path), "f", form, header=True, encoding="utf-8"))


def test_blank_names_may_repeat() -> None:
    assert read(",,t\n1,2,3\n")[0]["t"] == "3"
