import pytest

from compactlm.corpus.clean.filters.base import Dropped
from compactlm.corpus.clean.filters.repetition import without_repeated_lines, without_repeated_ngrams


def test_a_text_of_repeated_lines_is_dropped() -> None:
    text = "menu\nhome\nmenu\n\nmenu\nnews"  # two of five lines repeat an earlier one
    assert without_repeated_lines(text, 0.4) == text
    assert without_repeated_lines(text, 0.39) == Dropped("repeated_lines")
    assert without_repeated_lines("one line one line", 0.0) == "one line one line"
    assert without_repeated_lines("\n \n\n", 0.0) == "\n \n\n"


@pytest.mark.parametrize(
    ("text", "size", "kept"),
    [
        ("buy now Buy NOW buy now", 2, False),
        ("buy now Buy NOW buy now", 5, True),
        ("all words of this text differ", 1, True),
        ("", 1, True),
        ("short short", 1, True),
    ],
)
def test_a_text_of_repeated_word_runs_is_dropped_unless_it_is_short(text: str, size: int, kept: bool) -> None:
    result = without_repeated_ngrams(text, size, maximum_share=0.3, minimum_words=3)
    assert result == (text if kept else Dropped("repeated_ngrams"))
