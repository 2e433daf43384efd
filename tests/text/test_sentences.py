import time

import pytest

from compactlm.text.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One dog. Two cats! Three? Four", ["One dog.", "Two cats!", "Three?", "Four"]),
        (
            "Mr. Smith met Dr. A. Jones at 3.5 miles. It was e.g. Monday.",
            ["Mr. Smith met Dr. A. Jones at 3.5 miles.", "It was e.g. Monday."],
        ),
        ('He said "No." Then left.\n\nA title\n\nThe end...', ['He said "No."', "Then left.", "A title", "The end..."]),
        ("one.\ntwo lines. 3 cats", ["one. two lines.", "3 cats"]),
        ("", []),
        (" \n\n ", []),
        ("\U0001f600", ["\U0001f600"]),
    ],
)
def test_a_text_is_split_into_sentences(text, expected):
    assert split_sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [("." * 200_000, 1), ("Mr. " * 100_000, 1), ("good?! " * 50_000, 1), ("Good. " * 50_000, 50_000), ("\n" + " " * 200_000, 0)],
)
def test_long_odd_texts_are_split_in_seconds(text, count):
    start = time.process_time()
    assert len(split_sentences(text)) == count
    assert time.process_time() - start < 5
