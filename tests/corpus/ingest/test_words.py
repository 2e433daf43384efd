import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus.ingest.words import read_tags, read_words
from compactlm.errors import CompactLMError
from compactlm.params import TagList

TAGS = TagList(column="g")
CELLS = st.lists(st.text(min_size=1, max_size=6).filter(lambda cell: bool(cell.split())), max_size=6)


def test_words_are_a_list_or_a_text() -> None:
    assert read_words({"w": ["Kim", "came", "."]}, "w", "p") == (("Kim", "came", "."), (1, 1, 1))
    assert read_words({"w": " Kim  came."}, "w", "p") == (("Kim", "came."), (1, 1))
    assert read_words({"w": None}, "w", "p") == ((), ())


def test_tags_are_a_list_or_a_text_and_can_be_named() -> None:
    assert read_tags({"g": ["B-x", "O"]}, TAGS, (1, 1), "p") == ("B-x", "O")
    assert read_tags({"g": "B-x O"}, TAGS, (2, 1), "p") == ("B-x", "I-x", "O")
    assert read_tags({"g": [1, "0"]}, TagList(column="g", names={"0": "O", "1": "B-x"}), (1, 1), "p") == ("B-x", "O")


@given(CELLS)
def test_words_hold_no_white_space_and_every_tag_has_its_words(cells: list[str]) -> None:
    words, word_counts = read_words({"w": cells}, "w", "p")
    assert list(words) == " ".join(words).split()
    tags = read_tags({"g": [f"B-{number}" for number in range(len(cells))]}, TAGS, word_counts, "p")
    assert len(tags) == len(words)
    expected = [number for number, cell in enumerate(cells) for _ in cell.encode("utf-8", "replace").decode().split()]
    assert [int(tag[2:]) for tag in tags] == expected


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({}, r"p: the column 'w' of columns\.words does not exist"),
        ({"w": 5}, r"p: the column 'w' of columns\.words holds 5, which is not a list of words"),
        ({"w": ["a", " "]}, r"p: word 2 in the column 'w' of columns\.words is ' ', which is no word"),
        ({"w": ["a", None]}, r"p: word 2 .* is None"),
    ],
)
def test_wrong_words_are_refused(cells: dict[str | int, object], message: str) -> None:
    with pytest.raises(CompactLMError, match=message):
        read_words(cells, "w", "p")


@pytest.mark.parametrize(
    ("cell", "rule", "message"),
    [
        (["O"], TAGS, r"p: the row has 2 words but 1 tags; give each word a tag"),
        (["O"] * 3, TAGS, r"p: the row has 2 words but 3 tags"),
        (None, TAGS, r"p: the column 'g' of columns\.tags holds None, which is not a list of tags"),
        (["O", ""], TAGS, r"p: tag 2 in the column 'g' of columns\.tags is empty"),
        (["O", ["x"]], TAGS, r"p: tag 2 .* is wrong: \['x'\] is not a label"),
        (["O", 7], TagList(column="g", names={"O": "O"}), r"p: tag 2 .* is '7', which columns\.tags\.names does not name \(O\)"),
    ],
)
def test_wrong_tags_are_refused(cell: object, rule: TagList, message: str) -> None:
    with pytest.raises(CompactLMError, match=message):
        read_tags({"g": cell}, rule, (1, 1), "p")
