import functools

from compactlm.corpus.clean.filters.base import Dropped, apply_filters, plain, settling, to_plain
from compactlm.text.unicode import encodable


def test_filters_are_applied_until_nothing_changes() -> None:
    calls = []

    def unwrap(text: str) -> str:
        calls.append(text)
        return text.replace("()", "", 1)

    assert apply_filters("((()))x", [unwrap, str.strip]) == "x"
    assert calls == ["((()))x", "(())x", "()x", "x"]  # and not a round more


def test_the_first_reason_counts_and_what_follows_is_not_asked() -> None:
    assert apply_filters("x", [str.upper, lambda _: Dropped("first"), lambda _: Dropped("second")]) == Dropped("first")


def test_a_text_that_never_settles_is_dropped_unless_the_changes_cancel_within_a_round() -> None:
    assert apply_filters("x", [lambda text: text + "x"]) == Dropped("unrepairable")
    assert apply_filters("ab", [lambda text: text[::-1]]) == Dropped("unrepairable")
    assert apply_filters("x", [lambda text: text + " ", str.strip]) == "x"


def test_without_filters_a_text_stays_as_it_is_but_for_lone_surrogates() -> None:
    assert apply_filters("\ud83d\ude00 \ud800 x", []) == "\U0001f600 \ufffd x"
    assert encodable("caf\u00e9") == "caf\u00e9"


def test_a_filter_that_settles_does_not_look_at_its_own_work_again() -> None:
    calls = []

    @settling
    def strip(text: str) -> str:
        calls.append(text)
        return text.strip()

    assert apply_filters(" x ", [str.strip, strip]) == "x"
    calls.clear()
    assert apply_filters(" x ", [lambda text: text.replace("y", "x"), functools.partial(strip)]) == "x"
    assert calls == [" x "]
    assert apply_filters(" y", [functools.partial(strip), lambda text: text.replace("y", " x")]) == "x"


def test_a_filter_that_leaves_plain_words_is_not_asked_about_them() -> None:
    calls = []

    @plain
    def asked(text: str) -> str:
        calls.append(text)
        return text.replace("!", "")

    assert apply_filters(" a b", [functools.partial(asked), to_plain(lambda text: text.strip())]) == "a b"
    assert calls == [" a b"]
    calls.clear()
    assert apply_filters(" caf\u00e9", [asked, to_plain(lambda text: text.strip())]) == "caf\u00e9"
    assert calls == [" caf\u00e9", "caf\u00e9"]
    calls.clear()
    # What comes after may make of the words what is no longer plain.
    assert apply_filters(" a", [asked, to_plain(lambda text: text.strip()), lambda text: text.replace("a", "b!")]) == "b"
    assert "b!" in calls
