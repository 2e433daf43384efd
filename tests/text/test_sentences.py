import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.text.sentences import split_sentences
from tests.text.made_sentences import ends, made_texts


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
        ("He lives in the U.S. The house is in Mt. Hope, cf. No. 12.", ["He lives in the U.S.", "The house is in Mt. Hope, cf. No. 12."]),
        ("Take vitamin C. It helps. At 5 p.m. The end.", ["Take vitamin C.", "It helps.", "At 5 p.m.", "The end."]),
        ("1. Open it. 2. Close it.\n3) Go", ["1. Open it.", "2. Close it.", "3) Go"]),
        (
            "A title\n- one\n- two\n\nHe went to\nAnna Smith . . . So",
            ["A title", "- one", "- two", "He went to Anna Smith . . .", "So"],
        ),
        ("See Sec. 3.2 (Figs. 4.1 and 5.2). Use ver. 2.1 of it.", ["See Sec. 3.2 (Figs. 4.1 and 5.2).", "Use ver. 2.1 of it."]),
        ("It rose to No. 8. See Art. 5. No. 7. The end.", ["It rose to No. 8.", "See Art. 5.", "No. 7.", "The end."]),
        ('It ended.[1] He "left."[12][b] She stayed.[3]', ["It ended.[1]", 'He "left."[12][b]', "She stayed.[3]"]),
        ("", []),
        (" \n\n ", []),
        ("\U0001f600", ["\U0001f600"]),
    ],
)
def test_a_text_is_split_into_sentences(text, expected):
    assert split_sentences(text) == expected


def test_f1_on_500_made_boundaries():
    right = found = expected = 0
    for pieces in made_texts(500):
        gold, cut = ends(pieces), ends(split_sentences("".join(pieces)))
        right, found, expected = right + len(gold & cut), found + len(cut), expected + len(gold)
    assert expected >= 500
    assert 2 * right / (found + expected) >= 0.97


def test_abbreviations_can_be_added():
    assert split_sentences("We saw the hut. Smith left.") == ["We saw the hut.", "Smith left."]
    assert split_sentences("We saw the hut. Smith left. The hut. The end.", {"hut"}) == [
        "We saw the hut. Smith left.",
        "The hut.",
        "The end.",
    ]


@given(
    st.lists(
        st.sampled_from(["Dr.", "It", "rained.", "3.14", "?!", '"Yes."', "\u2026", "no", "(So.)", "A.", ".", "\n", "- ", "1."]), max_size=15
    )
)
def test_no_character_is_lost(words):
    text = " ".join(words)
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


ODD = [
    ("x\n" * 50_000, 1),
    ("- x\n" * 50_000, 50_000),
    ("a.b." * 50_000, 1),
    (". " * 50_000, 1),
    (".[1]" * 50_000, 1),
    ("." + "[1]" * 50_000, 1),
    ('." ' * 50_000, 1),
    ("( " * 50_000, 1),
]
ODD += [("a" * 100_000 + "\u3002No. 1" * 30_000, 30_001)]
ODD += [("A. B. " * 30_000, 1), (" \u2022" * 50_000, 1), ("x" * 200_000 + ". The", 2), ("a " * 100_000, 1), ("\u3002" * 100_000, 1)]


@pytest.mark.parametrize(
    ("text", "count"),
    [("." * 200_000, 1), ("Mr. " * 100_000, 1), ("good?! " * 50_000, 1), ("Good. " * 50_000, 50_000), ("\n" + " " * 200_000, 0), *ODD],
)
def test_long_odd_texts_are_split_in_seconds(text, count):
    start = time.process_time()
    assert len(split_sentences(text)) == count
    assert time.process_time() - start < 50
