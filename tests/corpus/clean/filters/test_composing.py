import string
import time
import unicodedata
from typing import Any, get_args

import ftfy
import pydantic
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from compactlm.corpus.clean.filters.base import Dropped, Filter, apply_filters, is_plain
from compactlm.corpus.clean.filters.characters import _repair
from compactlm.corpus.clean.filters.composing import filters_from, profile_filters
from compactlm.corpus.clean.filters.personal.placeholders import PLACEHOLDERS
from compactlm.errors import CompactLMError
from compactlm.params.filters import FilterSettings
from compactlm.text.unicode import encodable

LISTED: list[dict[str, Any]] = [
    {"kind": "expression", "name": "advertisement", "pattern": "(?i)buy now", "action": "drop", "replacement": ""},
    {"kind": "expression", "name": "tag", "pattern": r"#\w+", "action": "replace", "replacement": ""},
    *(one.model_dump() for one in profile_filters("thorough", 2, 300)),
]
SETTINGS = TypeAdapter(list[FilterSettings])
THOROUGH = filters_from(SETTINGS.validate_python(LISTED))
BERT, BAG = (filters_from(profile_filters(profile, 2, 300)) for profile in ("bert", "bag-of-words"))  # type: ignore[arg-type]
TOKENS = ["&lt;", "&amp;", "amp;", "<b>", "</p >", "<", ">", "<!--", "-->", "&#0;", "''", "`", "\u200b", "\x1b[31m", "\x00"]
TOKENS += [" ", "\n", "\r\n", "\u00c3\u00a9", "\u2019", "don't", "cannot", "A", "http://x", "e", "\u0301", "\ufb01", "\ufffd"]
TOKENS += ["\u0130", "\ud800", "\udc00", "a@b.example", "4111111111111111", "#tag", "!!!!", "\ufeff"]
TOKENS += ["\u0645\u0631\u062d\u0628\u0627", "\u202e", "\u0928\u094d", "buy now"]
TEXTS = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=60),  # type: ignore[arg-type]
    st.lists(st.sampled_from(TOKENS), max_size=12).map("".join),
)


def _unmarked(filter_: Filter) -> Filter:
    def unmarked(text: str) -> str | Dropped:
        return filter_(text)

    return unmarked


@given(TEXTS)
@example("xn--caf\u00e9 don't <b>gonna</b>")
def test_skipping_filters_by_their_marks_changes_no_text(text: str) -> None:
    for filters in (BAG, BERT, THOROUGH):
        assert apply_filters(text, filters) == apply_filters(text, map(_unmarked, filters))


PLAIN_TOKENS = ["don't", "a@b.example", "4111111111111111", "#tag", "!!!!", "buy now", "amp;", ">", "http:", "//x", "'", ":", "-", "{", " "]
PLAIN_TEXTS = st.one_of(st.text(string.printable, max_size=40), st.lists(st.sampled_from(PLAIN_TOKENS), max_size=12).map("".join))


@given(PLAIN_TEXTS.filter(is_plain))
def test_filters_marked_plain_do_not_change_plain_text(text: str) -> None:
    marked = [one for one in (*BAG, *BERT, *THOROUGH) if getattr(getattr(one, "func", one), "plain", False)]
    assert len(marked) == 19
    assert all(one(text) == text for one in marked)


@given(TEXTS)
def test_the_filter_marked_to_plain_returns_plain_or_non_ascii_text(text: str) -> None:
    [marked] = [one for one in (*BAG, *BERT, *THOROUGH) if getattr(getattr(one, "func", one), "to_plain", False)]
    made = marked(encodable(text))
    assert isinstance(made, str)
    assert is_plain(made) or not made.isascii()


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="&"), max_size=80))
def test_cleaning_adds_no_letters_or_digits(text: str) -> None:
    clean = apply_filters(text, THOROUGH)
    if isinstance(clean, Dropped):
        return
    for placeholder in PLACEHOLDERS.values():
        clean = clean.replace(placeholder, "")
    letters = iter(text)
    assert all(character in letters for character in clean if character.isalnum())  # letters and digits are a subsequence


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("It cost \u00c2\u00a35 at the caf\u00c3\u00a9", "It cost \u00a35 at the caf\u00e9"),
        ("A&E; stays, I &lt;3 you", "A&E; stays, I <3 you"),
        ("seen &lt;i&gt;twice&lt;/i&gt;", "seen twice"),
        ("zero\u200bwidth\ufeff and\x00 bell\x07 \x1b[31mred", "zerowidth and bell red"),
        ("the new ''Conan'' and ``Rule.''", 'the new "Conan" and "Rule."'),
        ("a `70s film", "a '70s film"),
        ("  white \t\n space\u00a0folded ", "white space folded"),
        ("see http://url_removed now", "see now"),
        ("Keeps Case, stop words & punctuation!", "Keeps Case, stop words & punctuation!"),
        ("", Dropped("empty")),
        ("\u200b<br>", Dropped("empty")),
        ("x", Dropped("too_short")),
        ("x" * 301, Dropped("too_long")),
    ],
)
def test_the_bert_profile(dirty: str, clean: str | Dropped) -> None:
    assert apply_filters(dirty, BERT) == clean


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("The <b>Movie</b> wasn't 100% GOOD, was it?", "movie good"),
        ("I cannot see the well-made caf\u00e9", "see well made caf\u00e9"),
        ("gonna, now", "gon na"),
        ("gonna sing", "gon na sing"),
        ("It is not what they were", Dropped("empty")),
    ],
)
def test_the_bag_of_words_profile(dirty: str, clean: str | Dropped) -> None:
    assert apply_filters(dirty, BAG) == clean


@pytest.mark.parametrize("filters", [BERT, BAG, THOROUGH], ids=["bert", "bag-of-words", "thorough"])
@given(text=TEXTS)
def test_cleaned_text_is_normalised_and_is_not_changed_by_a_second_cleaning(filters: list[Filter], text: str) -> None:
    clean = apply_filters(text, filters)
    assert apply_filters(text, filters) == clean
    if isinstance(clean, Dropped):
        assert filters is THOROUGH or clean.reason in {"empty", "too_short", "too_long"}
        return
    assert apply_filters(clean, filters) == clean
    assert 2 <= len(clean) <= 300
    assert clean == " ".join(clean.split()) == unicodedata.normalize("NFC", clean)
    assert not {unicodedata.category(character) for character in clean} & {"Cc", "Cf", "Cs", "Co"}
    assert any(not character.isspace() for character in text)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_ascii_needs_no_repair(text: str) -> None:
    # The later filters do what ftfy would do to ASCII, so that skipping it changes nothing.
    assert apply_filters(text, BERT) == apply_filters(ftfy.fix_text(text, _repair("NFC", straight_quotes=True)), BERT[1:])


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("", Dropped("empty")),
        ("\ufeff\x00\u200b", Dropped("empty")),
        ("\ufeffa BOM and\x00 NUL bytes", "a BOM and NUL bytes"),
        ("mixed\r\nline\rends\nhere", "mixed line ends here"),
        ("\u0645\u0631 \u202eabc\u202c \u0627\u0644", "\u0645\u0631 abc \u0627\u0644"),
        ("lone \ud83d surrogate", "lone surrogate"),
        ("cafe\u0301 society", "caf\u00e9 society"),
        ("Buy now! only today", Dropped("advertisement")),
        ("#film a good one #fun", "a good one"),
        ("12 34 56 a", Dropped("few_letters")),
        ("same\nsame\nsame", Dropped("repeated_lines")),
        ("A film that I would see again. Write to a@b.example.", "A film that I would see again. Write to [EMAIL]."),
        ("soooooo good", "sooo good"),
        ("very very " * 20, Dropped("repeated_ngrams")),
        ("Der Film hat mir ausgesprochen gut gefallen, und die Schauspieler waren gut.", Dropped("language")),
        ("I liked the film a great deal, and the actors were very good indeed.",) * 2,
        ("x" * 2_000_000, Dropped("too_long")),
    ],
)  # fmt: skip
def test_the_thorough_profile_with_expressions(dirty: str, clean: str | Dropped) -> None:
    assert apply_filters(dirty, THOROUGH) == clean


def test_a_line_of_fifty_megabytes_is_dropped_at_once() -> None:
    line = "<script>&amp;\u00e9" * (50_000_000 // 14)
    start = time.process_time()
    assert apply_filters(line, THOROUGH) == Dropped("too_long")
    assert time.process_time() - start < 50


def test_every_kind_of_filter_can_be_composed() -> None:
    kinds = {get_args(one.model_fields["kind"].annotation)[0] for one in get_args(get_args(FilterSettings)[0])}
    assert kinds == {one["kind"] for one in LISTED} | {"bag_of_words"}


def test_an_unknown_language_is_refused() -> None:
    unknown = SETTINGS.validate_python([{"kind": "language", "languages": ["xx"], "minimum_probability": 0.5, "minimum_letters": 9}])
    with pytest.raises(CompactLMError, match="unknown language 'xx'"):
        filters_from(unknown)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "expression", "pattern": "(", "action": "drop"}, "regular expression"),
        ({"kind": "expression", "pattern": "a", "action": "replace", "replacement": "aa"}, "replacement"),
        ({"kind": "length", "unit": "words", "minimum": 5, "maximum": 4}, "minimum"),
        ({"kind": "character_share", "of": "digits", "minimum": 0.5, "maximum": 0.4}, "minimum"),
        ({"kind": "language", "languages": ["english"]}, "languages"),
        ({"kind": "no_such_filter"}, "no_such_filter"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, Any], message: str) -> None:
    example = next((one for one in LISTED if one["kind"] == changes["kind"]), {})
    with pytest.raises(pydantic.ValidationError, match=message):
        SETTINGS.validate_python([{**example, **changes}])
