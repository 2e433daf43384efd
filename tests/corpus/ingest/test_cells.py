import pytest

from compactlm.corpus.ingest.cells import cell_at, parts_of
from compactlm.errors import CompactLMError

ROW = {"meta": {"title": "T", "tags": ["a", {"b": "c"}]}, "a.b": "own name", "body": "B", "none": None, 3: "third"}


@pytest.mark.parametrize(
    ("column", "value"), [("body", "B"), ("meta.title", "T"), ("meta.tags.1.b", "c"), ("a.b", "own name"), (3, "third"), ("none", None)]
)
def test_cells_are_found_by_name_position_or_path(column: str | int, value: object) -> None:
    assert cell_at(ROW, column, "p", "text") == value


@pytest.mark.parametrize("column", ["meta.tags.2", "meta.other", "body.0", "meta.tags.-1", "", 4])
def test_a_path_that_leads_nowhere_is_refused(column: str | int) -> None:
    with pytest.raises(CompactLMError, match=r"p: the column .* of columns\.text .* \(columns here: 'meta', 'a\.b', 'body', 'none', 3\)"):
        cell_at(ROW, column, "p", "text")


def test_a_row_becomes_a_row_for_each_part_of_its_columns() -> None:
    row = {"passage": "P", "question": "q1: who? q2: why?", "answer": "before a1:\nI\na2:"}
    found = list(parts_of(row, {"question": r"q\d:", "answer": r"a\d:"}, "line 3"))
    assert found == [
        ("line 3, part 1", {"passage": "P", "question": "who?", "answer": "I"}),
        ("line 3, part 2", {"passage": "P", "question": "why?", "answer": ""}),
    ]
    assert list(parts_of(row | {"question": "none", "answer": None}, {"question": r"q\d:", "answer": r"a\d:"}, "line 3")) == []
    with pytest.raises(
        CompactLMError, match=r"line 3: the columns of columns\.parts have different numbers .*2 in 'question', 1 in 'answer'"
    ):
        list(parts_of(row | {"answer": "a1: x"}, {"question": r"q\d:", "answer": r"a\d:"}, "line 3"))
