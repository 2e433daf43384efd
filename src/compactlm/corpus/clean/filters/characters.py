"""Filters of single characters: Unicode, control characters, quotes, white space, runs of one character."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from typing import Literal

import ftfy
from ftfy.badness import is_bad

from compactlm.corpus.clean.filters.base import plain, settling

_TERMINAL_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_DOUBLE_QUOTE = re.compile(r"``|''")
_NOT_ASCII = re.compile(r"([^\x00-\x7f]+)")
_FTFY_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\r\x0e-\x1f\x7f]")  # the only ASCII characters that ftfy changes
_ASCII_PRINTABLE = bytes(range(0x20, 0x7F))
_ASCII = frozenset(map(chr, range(0x80)))
_NEIGHBOURS = 12
_PLACEHOLDER = "xqzjvkwq"  # a run of letters that does not occur in texts and that ftfy does not change
_ADDRESS = re.compile(r"<https?://[^\s<>]*>|https?://[^\s<>]+", re.IGNORECASE)  # an address in angle brackets takes them along


@plain
def repair_unicode(text: str, form: Literal["NFC", "NFKC"], straight_quotes: bool) -> str:
    """Fix wrongly decoded characters, ligatures and (optionally) curly quotes by ftfy, and normalise to `form`."""
    # ftfy is by far the slowest filter, and few texts need it: no ASCII text does, nor any text without odd characters.
    if text.isascii():
        return text
    config = _repair(form, straight_quotes)
    if _FTFY_CONTROL.search(text) or _PLACEHOLDER in text:
        return ftfy.fix_text(text, config)
    near, middles = _near_other_characters(text)
    odd = any(is_bad(f"{line}\n") for line in near.split("\n")) or not unicodedata.is_normalized(form, near)
    if not odd and not any(_is_changed(character, config) for character in set(near).difference(_ASCII)):
        return text
    repaired = ftfy.fix_text(near, config).split(_PLACEHOLDER)
    return "".join(itertools.chain.from_iterable(itertools.zip_longest(repaired, middles, fillvalue="")))


def _near_other_characters(text: str) -> tuple[str, list[str]]:
    """Replace the middle of each long run of ASCII by a placeholder. Return the text and these middles.

    ftfy judges characters by a few neighbours in the same line, and ASCII is the same in all encodings. Its result for the shortened
    text is therefore the same as for the whole text.
    """
    runs, middles = _NOT_ASCII.split(text), []  # runs of ASCII and of other characters alternate
    for place in range(0, len(runs), 2):
        run = runs[place]
        if len(run) > 2 * _NEIGHBOURS:
            middle = run[_NEIGHBOURS:-_NEIGHBOURS]
            before, line_end, after = middle.rpartition("\n")
            runs[place] = f"{run[:_NEIGHBOURS]}{_PLACEHOLDER}{line_end}{_PLACEHOLDER if line_end else ''}{run[-_NEIGHBOURS:]}"
            middles += [before, after] if line_end else [middle]
    return "".join(runs), middles


@functools.cache
def _is_changed(character: str, config: ftfy.TextFixerConfig) -> bool:
    """Return whether ftfy would change a single character in any context. All its other changes are sequences that `is_bad` finds."""
    return ftfy.fix_text(character, config) != character


@functools.cache
def _repair(form: Literal["NFC", "NFKC"], straight_quotes: bool) -> ftfy.TextFixerConfig:
    return ftfy.TextFixerConfig(unescape_html=False, uncurl_quotes=straight_quotes, normalization=form, explain=False)


@plain
def remove_addresses(text: str) -> str:
    """Remove web addresses, because they are not natural language."""
    return _ADDRESS.sub(" ", text) if "://" in text else text


@plain
def remove_control_characters(text: str, keep_lines: bool) -> str:
    """Remove control, format (zero-width), surrogate and private characters. Those that separate words become spaces.

    With `keep_lines`, line feeds stay for later filters of lines.
    """
    if _is_printable(text) and "\ufffd" not in text:
        return text
    text = _TERMINAL_ESCAPE.sub("", text)
    odd = {character for character in set(text) if character == "\ufffd" or not character.isprintable()}
    odd -= {"\n"} if keep_lines else set()
    return text.translate({ord(character): _without_control(character) for character in odd})


def _without_control(character: str) -> str:
    if character.isspace() or character == "\ufffd":
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} else character


@plain
def straighten_quotes(text: str) -> str:
    """Replace ``quoted'' and ''quoted'' by double quotes, and single grave accents by apostrophes."""
    return _DOUBLE_QUOTE.sub('"', text).replace("`", "'") if "`" in text or "''" in text else text


@plain
@settling
def fold_white_space(text: str, keep_lines: bool) -> str:
    """Replace runs of white space by one space, strip the ends and normalise to NFC. `keep_lines` keeps line ends, but no blank lines."""
    if keep_lines:
        lines = (" ".join(line.split()) for line in text.splitlines())
        folded = "\n".join(line for line in lines if line)
    elif _is_printable(text) and "  " not in text and text.strip(" ") == text:  # the space is the only printable white space
        folded = text
    else:
        folded = " ".join(text.split())
    return unicodedata.normalize("NFC", folded)


def _is_printable(text: str) -> bool:
    # Three times as fast as str.isprintable, which checks each character.
    return not text.encode().translate(None, _ASCII_PRINTABLE) if text.isascii() else text.isprintable()


def shorten_runs(text: str, maximum: int) -> str:
    """Shorten runs of one character to `maximum`, except runs of digits and white space."""
    return _run_of(maximum).sub(lambda match: match.group(1) * maximum, text)


@functools.cache
def _run_of(maximum: int) -> re.Pattern[str]:
    return re.compile(rf"([^\d\s])\1{{{maximum},}}")
