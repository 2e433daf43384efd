import pytest

from compactlm.errors import CompactLMError
from compactlm.text.formats.tables import stream_rows


def read(content: str) -> list[tuple[str, list[object], object, object]]:
    rows = stream_rows(content.encode(), "f", "conll", header=False, encoding="utf-8")
    return [(place, list(row["words"]), row.get("tags"), row["document"]) for place, row in rows]  # type: ignore[call-overload]


def test_sentences_end_at_blank_lines_and_the_last_column_has_the_tags() -> None:
    content = "EU NNP B-ORG\nrejects VBZ O\n\n\nPeter NNP B-PER\r\n \t\n"
    assert read(content) == [("line 1", ["EU", "rejects"], ["B-ORG", "O"], None), ("line 5", ["Peter"], ["B-PER"], None)]


def test_docstart_begins_a_document() -> None:
    content = "-DOCSTART- -X- O\n\na O\n\nb O\n-DOCSTART- -X- O\nc O\n"
    assert [(words, document) for _, words, _, document in read(content)] == [(["a"], "1"), (["b"], "1"), (["c"], "2")]


def test_cells_end_at_tabs_if_there_are_some_and_columns_have_their_positions() -> None:
    content = "New York\tx\tB-LOC\n#\ty\tO\n"
    [(_, row)] = stream_rows(content.encode(), "f", "conll", header=False, encoding="utf-8")
    assert (row[0], row[1], row[2], row["tags"]) == (["New York", "#"], ["x", "y"], ["B-LOC", "O"], ["B-LOC", "O"])


def test_comments_and_ranges_of_conllu_are_skipped() -> None:
    cells = "\t_" * 8
    content = f"# sent_id = 1\n# text = du vin\n1-2\tdu{cells}\n1\tde{cells}\n2\tle{cells}\n2.1\tx{cells}\n\n"
    assert [words for _, words, _, _ in read(content)] == [["1", "2"]]
    assert read("# O\n# O\n") == [], "lines of a number sign before the first word are comments"
    assert [words for _, words, _, _ in read("a O\n# O\n# a comment here\n")] == [["a", "#"]]


def test_a_file_of_words_alone_has_no_tags() -> None:
    assert read("a\nb\n") == [("line 1", ["a", "b"], None, None)]
    assert read("") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a O\nb\n", r"f has 1 columns at line 2, but 2 at line 1; give each word a line"),
        ("a\tO\n\nb\tx\tO\n", r"f has 3 columns at line 3, but 2 at line 1"),
        ("a\tO\n\tO\n", r"f has no word at line 2"),
    ],
)
def test_malformed_lines_are_refused(content: str, message: str) -> None:
    with pytest.raises(CompactLMError, match=message):
        read(content)
