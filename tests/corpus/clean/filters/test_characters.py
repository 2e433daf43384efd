import unicodedata

import ftfy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus.clean.filters import characters


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("so coooool !!!!!!!", "so coool !!!"),
        ("a 1000000 dollars", "a 1000000 dollars"),
        ("well...", "well..."),
        ("\u0645\u0631\u062d\u0628\u0627\u0627\u0627\u0627\u0627", "\u0645\u0631\u062d\u0628\u0627\u0627\u0627"),
        ("Z\u0335\u0335\u0335\u0335\u0335", "Z\u0335\u0335\u0335"),
        ("", ""),
    ],
)
def test_runs_of_one_character_except_digits_are_shortened(dirty: str, clean: str) -> None:
    assert characters.shorten_runs(dirty, 3) == clean


@given(st.text("ab1 .\n\u0301", max_size=40), st.integers(2, 5))
def test_shortening_only_removes_characters(text: str, maximum: int) -> None:
    short = characters.shorten_runs(text, maximum)
    assert characters.shorten_runs(short, maximum) == short
    position = iter(text)
    assert all(character in position for character in short)  # a subsequence
    assert not any(character * (maximum + 1) in short for character in "ab.\u0301")
    assert short.count("1") == text.count("1")


@pytest.mark.parametrize(("keep_lines", "end"), [(False, " "), (True, "\n")])
def test_white_space_is_folded_and_control_characters_are_removed_with_or_without_lines(keep_lines: bool, end: str) -> None:
    folded = characters.fold_white_space(" one \t two\r\n\n \u00a0three\u2028four ", keep_lines)
    assert folded == f"one two{end}three{end}four"
    dirty = "a\x00b\u200bc\ufeff\nd\x1b[31me\x07 \u202ef\ud800\ue000"
    assert characters.remove_control_characters(dirty, keep_lines) == f"abc{end}de f"


@given(st.text(max_size=60), st.booleans())
def test_no_control_character_is_left(text: str, keep_lines: bool) -> None:
    clean = characters.remove_control_characters(text, keep_lines=keep_lines)
    left = {character for character in clean if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"}}
    assert left <= ({"\n"} if keep_lines else set())


@pytest.mark.parametrize(
    ("form", "straight", "clean"),
    [("NFC", True, "caf\u00e9 'x\u00b2'"), ("NFKC", True, "caf\u00e9 'x2'"), ("NFC", False, "caf\u00e9 \u2018x\u00b2\u2019")],
)
def test_unicode_is_repaired_and_normalised(form: str, straight: bool, clean: str) -> None:
    assert characters.repair_unicode("caf\u00c3\u00a9 \u2018x\u00b2\u2019", form, straight) == clean  # type: ignore[arg-type]


# Text that was decoded wrongly, what looks like it, and long stretches of ASCII between them.
ODD = ["caf\u00c3\u00a9", "\u00e2\u20ac\u0153", "\u00c2 ", "\u00c3", "\u00e9", "\u00ef\u00ac\u0081", "\ufb01", "\u2019", "\u2028", "\uff21"]
ODD += ["\u00d7\u00b2", "\u00e0\u00b2", "\u0432\u0402", "\ufeff", "e\u0301", "\x07", "\x1b[1m", "\r\n", "\n", " ", "z"]
ODD += ["a long stretch of plain words. "]


@given(st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=3)), max_size=14).map("".join))
def test_unicode_is_repaired_as_ftfy_repairs_a_whole_text(text: str) -> None:
    config = ftfy.TextFixerConfig(unescape_html=False, uncurl_quotes=True, normalization="NFC")
    whole = text if text.isascii() else ftfy.fix_text(text, config)
    assert characters.repair_unicode(text, form="NFC", straight_quotes=True) == whole


@given(st.text(" \t\n\u00a0\u2028a\u0301e", max_size=12), st.booleans())
def test_folding_is_idempotent(text: str, keep_lines: bool) -> None:
    folded = characters.fold_white_space(text, keep_lines)
    assert characters.fold_white_space(folded, keep_lines) == folded
    if not keep_lines:
        assert folded == unicodedata.normalize("NFC", " ".join(text.split()))


def test_an_address_ends_at_an_angle_bracket() -> None:
    dirty = "see <http://a.example/x> or http://b.example/y?z=1<br>now, if a <https://c.example"
    assert " ".join(characters.remove_addresses(dirty).split()) == "see or <br>now, if a <"
    assert characters.remove_addresses("<https://" * 50_000)
