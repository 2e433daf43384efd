import time
from typing import Any, get_args

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from compactlm.corpus import cleaning
from compactlm.corpus.filters.base import Dropped, apply_filters
from compactlm.corpus.filters.composing import filters_from, profile_filters
from compactlm.corpus.filters.personal import PLACEHOLDERS
from compactlm.errors import CompactLMError
from compactlm.params import Clean
from compactlm.params.filters import FilterSettings

LISTED: list[dict[str, Any]] = [
    {"kind": "length", "unit": "characters", "minimum": 0, "maximum": 1_000_000},
    {"kind": "repair_unicode", "form": "NFC", "straight_quotes": True},
    {"kind": "remove_markup"},
    {"kind": "remove_addresses"},
    {"kind": "remove_control_characters", "keep_lines": True},
    {"kind": "fold_white_space", "keep_lines": True},
    {"kind": "repeated_lines", "maximum_share": 0.3},
    {"kind": "straighten_quotes"},
    {"kind": "mask_personal", "of": list(PLACEHOLDERS), "region": "US"},
    {"kind": "repeated_characters", "maximum": 3},
    {"kind": "expression", "name": "advertisement", "pattern": "(?i)buy now", "action": "drop", "replacement": ""},
    {"kind": "expression", "name": "tag", "pattern": r"#\w+", "action": "replace", "replacement": ""},
    {"kind": "fold_white_space", "keep_lines": False},
    {"kind": "length", "unit": "characters", "minimum": 2, "maximum": 300},
    {"kind": "repeated_ngrams", "size": 2, "maximum_share": 0.5, "minimum_words": 8},
    {"kind": "character_share", "of": "letters", "minimum": 0.3, "maximum": 1.0},
    {"kind": "language", "languages": ["en"], "minimum_probability": 0.3, "minimum_letters": 40},
]
SETTINGS = TypeAdapter(list[FilterSettings])
THOROUGH = filters_from(SETTINGS.validate_python(LISTED))
PIECES = ["&lt;", "&amp;", "amp;", "<b>", "</p >", "<", ">", "<!--", "-->", "&#0;", "''", "`", "\u200b", "\x1b[31m", "\x00"]
PIECES += [" ", "\n", "\r\n", "\u00c3\u00a9", "\u2019", "don't", "cannot", "A", "http://x", "e", "\u0301", "\ufb01", "\ufffd"]
PIECES += ["\u0130", "\ud800", "\udc00", "a@b.example", "4111111111111111", "#tag", "!!!!", "\ufeff"]
PIECES += ["\u0645\u0631\u062d\u0628\u0627", "\u202e", "\u0928\u094d", "buy now"]
TEXTS = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=60),  # type: ignore[arg-type]
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
)


@given(TEXTS)
def test_cleaning_is_idempotent_and_deterministic(text: str) -> None:
    clean = apply_filters(text, THOROUGH)
    assert apply_filters(text, THOROUGH) == clean
    if isinstance(clean, str):
        assert apply_filters(clean, THOROUGH) == clean
        assert clean.encode()
        assert clean == " ".join(clean.split())


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="&"), max_size=80))
def test_cleaning_invents_no_word(text: str) -> None:
    clean = apply_filters(text, THOROUGH)
    if isinstance(clean, Dropped):
        return
    for placeholder in PLACEHOLDERS.values():
        clean = clean.replace(placeholder, "")
    letters = iter(text)
    assert all(character in letters for character in clean if character.isalnum())  # letters and digits are a subsequence


@pytest.mark.parametrize("profile", ["bert", "bag-of-words"])
@given(text=TEXTS)
def test_the_named_profiles_do_what_the_first_release_did(profile: Any, text: str) -> None:
    clean = Clean(profile=profile, minimum_characters=2, maximum_characters=50)
    before = cleaning.clean_text(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"), cleaning.filters_of(clean))
    after = apply_filters(text, filters_from(profile_filters(profile, 2, 50)))
    assert after == (Dropped(before.value) if isinstance(before, cleaning.Drop) else before)


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
        ("ha ha ha ha ha ha ha ha ha", Dropped("repeated_ngrams")),
        ("Der Film hat mir ausgesprochen gut gefallen, und die Schauspieler waren gut.", Dropped("language")),
        ("I liked the film a great deal, and the actors were very good indeed.",) * 2,
        ("x" * 2_000_000, Dropped("too_long")),
    ],
)  # fmt: skip
def test_dirty_texts(dirty: str, clean: str | Dropped) -> None:
    assert apply_filters(dirty, THOROUGH) == clean


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("A film that I would see again. Write to a@b.example.", "A film that I would see again. Write to [EMAIL]."),
        ("soooooo good", "sooo good"),
        ("one line\n\nanother line", "one line another line"),
        ("12:30 -- 14:45", Dropped("few_letters")),
        ("menu entry\nhome\nmenu entry\nhome", Dropped("repeated_lines")),
        ("very very " * 20, Dropped("repeated_ngrams")),
        ("Der Film hat mir ausgesprochen gut gefallen, und die Schauspieler waren gut, sehr gut.", Dropped("language")),
    ],
)
def test_the_thorough_profile(dirty: str, clean: str | Dropped) -> None:
    filters = filters_from(profile_filters("thorough", 5, 1_000))
    assert apply_filters(dirty, filters) == clean
    assert isinstance(clean, Dropped) or apply_filters(clean, filters) == clean


def test_a_line_of_fifty_megabytes_is_dropped_at_once() -> None:
    line = "<script>&amp;\u00e9" * (50_000_000 // 14)
    start = time.process_time()
    assert apply_filters(line, THOROUGH) == Dropped("too_long")
    assert time.process_time() - start < 5


def test_every_kind_of_filter_can_be_composed() -> None:
    kinds = {get_args(one.model_fields["kind"].annotation)[0] for one in get_args(get_args(FilterSettings)[0])}
    assert kinds == {one["kind"] for one in LISTED} | {"bag_of_words"}


def test_a_language_that_nobody_knows_is_refused() -> None:
    unknown = SETTINGS.validate_python([{"kind": "language", "languages": ["xx"], "minimum_probability": 0.5, "minimum_letters": 9}])
    with pytest.raises(CompactLMError, match="names 'xx', which the language identifier does not know"):
        filters_from(unknown)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "expression", "pattern": "(", "action": "drop"}, "is no regular expression"),
        ({"kind": "expression", "pattern": "a", "action": "replace", "replacement": "aa"}, "matches its own replacement"),
        ({"kind": "length", "unit": "words", "minimum": 5, "maximum": 4}, "minimum is greater than maximum"),
        ({"kind": "character_share", "of": "digits", "minimum": 0.5, "maximum": 0.4}, "minimum is greater than maximum"),
        ({"kind": "language", "languages": ["english"]}, "should match pattern"),
        ({"kind": "no_such_filter"}, "does not match any of the expected tags"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], message: str) -> None:
    example = next((one for one in LISTED if one["kind"] == changes["kind"]), {})
    with pytest.raises(pydantic.ValidationError, match=message):
        SETTINGS.validate_python([{**example, **changes}])
