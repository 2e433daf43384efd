import pytest

from compactlm.artifacts import Document
from compactlm.corpus.ingest.selection import cell_at, joined_text, take, times_seen
from compactlm.errors import CompactLMError

ROW = {"meta": {"title": "T", "tags": ["a", {"b": "c"}]}, "a.b": "own name", "body": "B", "none": None, 3: "third"}


@pytest.mark.parametrize(
    ("column", "value"), [("body", "B"), ("meta.title", "T"), ("meta.tags.1.b", "c"), ("a.b", "own name"), (3, "third"), ("none", None)]
)
def test_cells_are_found_by_name_position_or_path(column: str | int, value: object) -> None:
    assert cell_at(ROW, column, "p", "text") == value


@pytest.mark.parametrize("column", ["meta.tags.2", "meta.other", "body.0", "meta.tags.-1", "", 4])
def test_a_path_that_leads_nowhere_is_refused(column: str | int) -> None:
    with pytest.raises(
        CompactLMError, match=r"p: there is no column .* for columns\.text \(columns here: 'meta', 'a\.b', 'body', 'none', 3\)"
    ):
        cell_at(ROW, column, "p", "text")


def test_several_columns_are_joined_without_those_that_are_empty() -> None:
    assert joined_text(ROW, ["meta.title", "none", "body"], "\n", "p") == "T\nB"
    with pytest.raises(CompactLMError, match=r"p: the text column 'meta' holds .*, which is no text"):
        joined_text(ROW, ["meta"], " ", "p")


def test_a_maximum_of_rows_or_characters_ends_the_stream() -> None:
    rows = [Document(id=str(number), source="s", text="abcd", document=str(number)) for number in range(5)]
    for most, characters, taken in ((None, None, 5), (2, None, 2), (None, 11, 2), (None, 12, 3), (2, 4, 1), (0, None, 0)):
        stream = iter(rows)
        assert list(take(stream, most, characters)) == rows[:taken]


def test_a_mixture_weight_is_how_often_rows_are_seen_on_average() -> None:
    names = [f"row {number}" for number in range(4_000)]
    for weight in (0.0, 0.25, 1.0, 2.3):
        seen = [times_seen(name, weight, seed=1, epoch=0) for name in names]
        assert sum(seen) / len(seen) == pytest.approx(weight, abs=0.03)
        assert set(seen) <= {int(weight), int(weight) + 1}
    again = [times_seen(name, 0.25, 1, 1) for name in names]
    assert again != [times_seen(name, 0.25, 1, 0) for name in names]
    assert again == [times_seen(name, 0.25, 1, 1) for name in names]
