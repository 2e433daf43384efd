import pytest

from compactlm.corpus.clean.filters.base import Dropped
from compactlm.corpus.clean.filters.language import in_languages
from compactlm.text.languages import known_languages

ENGLISH = "The actors were very good indeed, and I liked the film a great deal."
GERMAN = "Der Film hat mir ausgesprochen gut gefallen, und die Schauspieler waren gut."
ARABIC = (
    "\u0623\u0639\u062c\u0628\u0646\u064a \u0627\u0644\u0641\u064a\u0644\u0645 \u0643\u062b\u064a\u0631\u0627 "
    "\u0648\u0643\u0627\u0646 \u0627\u0644\u0645\u0645\u062b\u0644\u0648\u0646 \u0631\u0627\u0626\u0639\u064a\u0646"
)


@pytest.mark.parametrize(
    ("text", "languages", "kept"),
    [(ENGLISH, "en", True), (GERMAN, "en", False), (GERMAN, "en de", True), (ARABIC, "en de", False), (ARABIC, "ar", True)],
)
def test_a_text_in_another_language_is_dropped(text: str, languages: str, kept: bool) -> None:
    result = in_languages(text, frozenset(languages.split()), minimum_probability=0.5, minimum_letters=20)
    assert result == (text if kept else Dropped("language"))


def test_short_texts_are_kept_and_only_the_start_of_a_long_text_is_read() -> None:
    assert in_languages("Sehr gut!", frozenset({"en"}), 0.9, minimum_letters=20) == "Sehr gut!"
    assert in_languages("Sehr gut!", frozenset({"en"}), 0.9, minimum_letters=5) == Dropped("language")
    assert in_languages(ENGLISH * 50 + GERMAN * 10_000, frozenset({"en"}), 0.9, 20) != Dropped("language")
    assert {"en", "de", "fr", "ar", "zh"} <= known_languages()
