"""Cleaning of a text: small filters that return the text or the reason to drop it, composed by profile."""

from __future__ import annotations

import enum
import functools
import html
import re
import unicodedata
from collections.abc import Callable, Sequence

import ftfy

from compactlm.params import Clean

_PASSES = 10
_REPAIR = ftfy.TextFixerConfig(unescape_html=False, uncurl_quotes=True, normalization="NFC", explain=False)
_TERMINAL_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_HIDDEN_ELEMENT = re.compile(r"<(script|style)\b[^<>]{0,1000}>.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|cite|code|em|font|i|mark|q|s|small|span|strong|sub|sup|tt|u)(?:\s[^<>]{0,1000})?/?>", re.IGNORECASE
)
_TAG = re.compile(r"<[/!?]?[a-zA-Z][^<>]{0,1000}>")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_FORMULA = re.compile(r"[({]\\displaystyle\b")
_DOUBLE_QUOTE = re.compile(r"``|''")


class Drop(enum.StrEnum):
    """Why a row was dropped."""

    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNREPAIRABLE = "unrepairable"
    DUPLICATE = "duplicate"
    CONTRADICTORY_LABEL = "contradictory_label"


Filter = Callable[[str], str | Drop]


def filters_of(clean: Clean) -> list[Filter]:
    """Return the filters of a profile, in the order in which they are applied."""
    filters: list[Filter] = [repair_unicode, remove_markup, remove_addresses, remove_control_characters, straighten_quotes]
    if clean.profile == "bag-of-words":
        # Imported here: NLTK takes a second, and the default profile does not need it.
        from compactlm.corpus.bag_of_words import to_bag_of_words

        filters.append(to_bag_of_words)
    bounds = functools.partial(within_bounds, minimum=clean.minimum_characters, maximum=clean.maximum_characters)
    return [*filters, fold_white_space, bounds]


def clean_text(text: str, filters: Sequence[Filter]) -> str | Drop:
    """Apply the filters until they change nothing more, so that cleaning a clean text changes nothing.

    What one filter takes away can bring to light work for another: `&lt;b&gt;` is a tag only after it was unescaped.
    """
    for _ in range(_PASSES):
        before = text
        for apply in filters:
            result = apply(text)
            if isinstance(result, Drop):
                return result
            text = result
        if text == before:
            return text
    return Drop.UNREPAIRABLE


def repair_unicode(text: str) -> str:
    """Mend wrongly decoded characters, ligatures and curled quotes by ftfy, and normalise to NFC."""
    # Nothing in ASCII needs repair, and ftfy is by far the slowest of the filters.
    return text if text.isascii() else ftfy.fix_text(text, _REPAIR)


def remove_markup(text: str) -> str:
    """Unescape HTML entities, however often they were escaped, and remove HTML tags, comments, scripts, styles and TeX formulas."""
    while "&" in text:
        unescaped = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
        if unescaped == text:
            break
        text = unescaped
    text = _without_formulas(text)
    if "<" not in text:
        return text
    text = _HIDDEN_ELEMENT.sub(" ", text)
    text = _INLINE_TAG.sub("", text)
    return _TAG.sub(" ", text)


def _without_formulas(text: str) -> str:
    """Remove what Wikipedia's formulas leave in plain text: from a bracket with displaystyle to the one that closes it, or the end."""
    while match := _FORMULA.search(text):
        depth, end = 0, match.start()
        while end < len(text):
            depth += (text[end] in "({") - (text[end] in ")}")
            end += 1
            if depth == 0:
                break
        text = text[: match.start()] + " " + text[end:]
    return text


def remove_addresses(text: str) -> str:
    """Remove web addresses, which hold no language."""
    return _ADDRESS.sub(" ", text) if "://" in text else text


def remove_control_characters(text: str) -> str:
    """Remove control, format (zero-width), surrogate and private characters; those that part words become a space."""
    if text.isprintable() and "\ufffd" not in text:
        return text
    text = _TERMINAL_ESCAPE.sub("", text)
    odd = {character for character in set(text) if character == "\ufffd" or not character.isprintable()}
    return text.translate({ord(character): _without_control(character) for character in odd})


def _without_control(character: str) -> str:
    if character.isspace() or character == "\ufffd":
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} else character


def straighten_quotes(text: str) -> str:
    """Write ``quoted'' and ''quoted'' with double quotes, and a lone grave accent as an apostrophe."""
    return _DOUBLE_QUOTE.sub('"', text).replace("`", "'") if "`" in text or "''" in text else text


def fold_white_space(text: str) -> str:
    """Make each run of white space one space, none at the ends, and normalise to NFC."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def within_bounds(text: str, minimum: int, maximum: int) -> str | Drop:
    """Drop a text that is empty, or has fewer or more characters than the bounds allow."""
    if not text:
        return Drop.EMPTY
    if len(text) < minimum:
        return Drop.TOO_SHORT
    return Drop.TOO_LONG if len(text) > maximum else text
