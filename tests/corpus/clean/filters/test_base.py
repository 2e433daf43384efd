import functools

from compactlm.corpus.clean.filters.base import Dropped, apply_filters, plain, settling, to_plain
from compactlm.text.unicode import encodable


def test_filters_are_applied_until_nothing_changes() -> None:
    calls = []

    def unwrap(text: str) -> str:
        calls.append(text)
        return text.replace("()", "", 1)

    assert apply_filters("((()))x", [unwrap, str.strip]) == "x"
    assert calls == ["((()))x", "(())x", "()x", "x"]  # no further round


def test_a_text_is_dropped_for_the_first_reason_or_because_it_never_stops_changing() -> None:
    assert apply_filters("x", [str.upper, lambda _: Dropped("first"), lambda _: Dropped("second")]) == Dropped("first")
    assert apply_filters("x", [lambda text: text + "x"]) == Dropped("unrepairable")
    assert apply_filters("ab", [lambda text: text[::-1]]) == Dropped("unrepairable")
    assert apply_filters("x", [lambda text: text + " ", str.strip]) == "x"  # the changes of a round cancel


def test_without_filters_only_lone_surrogates_are_replaced() -> None:
    assert apply_filters("\ud83d\ude00 \ud800 x", []) == "\U0001f600 \ufffd x"
    assert encodable("caf\u00e9") == "caf\u00e9"


def test_a_settling_filter_is_not_called_on_its_own_output() -> None:
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


def test_a_filter_that_keeps_plain_text_is_not_called_on_plain_text() -> None:
    calls = []

    @plain
    def remove_marks(text: str) -> str:
        calls.append(text)
        return text.replace("!", "")

    strip = to_plain(lambda text: text.strip())
    assert apply_filters(" a b", [functools.partial(remove_marks), strip]) == "a b"
    assert calls == [" a b"]
    calls.clear()
    assert apply_filters(" caf\u00e9", [remove_marks, strip]) == "caf\u00e9"
    assert calls == [" caf\u00e9", "caf\u00e9"]
    # A later filter may make the text not plain again.
    assert apply_filters(" a", [remove_marks, strip, lambda text: text.replace("a", "b!")]) == "b"
    assert "b!" in calls
