"""Filters of single characters: Unicode, control characters, quotes, white space, runs of one character."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Literal

import ftfy

_TERMINAL_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_DOUBLE_QUOTE = re.compile(r"``|''")
_NOT_ASCII = re.compile(r"([^\x00-\x7f]+)")
_FTFY_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\r\x0e-\x1f\x7f]")  # in ASCII these alone are changed by ftfy
_NEIGHBOURS = 12
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def repair_unicode(text: str, form: Literal["NFC", "NFKC"], straight_quotes: bool) -> str:
    """Mend wrongly decoded characters, ligatures and, if asked for, curled quotes by ftfy, and normalise to `form`."""
    # Nothing in ASCII needs repair, and ftfy is by far the slowest of the filters: so it is first shown what is near other characters.
    if text.isascii():
        return text
    near, config = _near_other_characters(text), _repair(form, straight_quotes)
    if not _FTFY_CONTROL.search(text) and ftfy.fix_text(near, config) == near:
        return text
    return ftfy.fix_text(text, config)


def _near_other_characters(text: str) -> str:
    """Return the text with each long run of ASCII cut to both its ends; ftfy judges characters by few neighbours."""
    runs = _NOT_ASCII.split(text)  # ASCII and others by turns
    for place in range(0, len(runs), 2):
        if len(runs[place]) > 2 * _NEIGHBOURS:
            runs[place] = f"{runs[place][:_NEIGHBOURS]}{runs[place][-_NEIGHBOURS:]}"
    return "".join(runs)


@functools.cache
def _repair(form: Literal["NFC", "NFKC"], straight_quotes: bool) -> ftfy.TextFixerConfig:
    return ftfy.TextFixerConfig(unescape_html=False, uncurl_quotes=straight_quotes, normalization=form, explain=False)


def remove_addresses(text: str) -> str:
    """Remove web addresses, which hold no language."""
    return _ADDRESS.sub(" ", text) if "://" in text else text


def remove_control_characters(text: str, keep_lines: bool) -> str:
    """Remove control, format (zero-width), surrogate and private characters; those that part words become a space.

    With `keep_lines` a line feed stays, for filters of lines that come later.
    """
    if text.isprintable() and "\ufffd" not in text:
        return text
    text = _TERMINAL_ESCAPE.sub("", text)
    odd = {character for character in set(text) if character == "\ufffd" or not character.isprintable()}
    odd -= {"\n"} if keep_lines else set()
    return text.translate({ord(character): _without_control(character) for character in odd})


def _without_control(character: str) -> str:
    if character.isspace() or character == "\ufffd":
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} else character


def straighten_quotes(text: str) -> str:
    """Write ``quoted'' and ''quoted'' with double quotes, and a lone grave accent as an apostrophe."""
    return _DOUBLE_QUOTE.sub('"', text).replace("`", "'") if "`" in text or "''" in text else text


def fold_white_space(text: str, keep_lines: bool) -> str:
    """Make each run of white space one space, none at the ends, and normalise to NFC; `keep_lines` keeps lines that are not blank."""
    if keep_lines:
        lines = (" ".join(line.split()) for line in text.splitlines())
        folded = "\n".join(line for line in lines if line)
    else:
        folded = " ".join(text.split())
    return unicodedata.normalize("NFC", folded)


def shorten_runs(text: str, maximum: int) -> str:
    """Shorten a run of one character to `maximum`; digits and white space are left alone."""
    return _run_of(maximum).sub(lambda match: match.group(1) * maximum, text)


@functools.cache
def _run_of(maximum: int) -> re.Pattern[str]:
    return re.compile(rf"([^\d\s])\1{{{maximum},}}")
