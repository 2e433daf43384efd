"""Filter of markup: HTML entities and tags, scripts, comments and TeX formulas, in time linear in the length of the text."""

from __future__ import annotations

import html
import re

from compactlm.corpus.clean.filters.base import plain

_ROUNDS = 10
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_ESCAPED_AMPERSANDS = re.compile(r"&(?:(?:amp|AMP|#38|#x26|#X26);)+")
_HIDDEN_START = re.compile(r"<(script|style)\b[^<>]{0,1000}>|(<!--)", re.IGNORECASE)
_HIDDEN_END = {
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
    "<!--": re.compile("-->"),
}
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|cite|code|em|font|i|mark|q|s|small|span|strong|sub|sup|tt|u)(?:\s[^<>]{0,1000})?/?>", re.IGNORECASE
)
_TAG = re.compile(r"<[/!?]?[a-zA-Z][^<>]{0,1000}>")
_FORMULA = re.compile(r"[({]\\displaystyle\b")
_BRACKET = re.compile(r"[(){}]")


@plain
def remove_markup(text: str) -> str:
    """Unescape HTML entities (also repeatedly escaped ones), and remove HTML tags, comments, scripts, styles and TeX formulas."""
    if "&" in text:
        text = _unescaped(text)
    if "\\displaystyle" in text:
        text = _without_formulas(text)
    if "<" not in text:
        return text
    text = _without_hidden_elements(text)
    text = _INLINE_TAG.sub("", text)
    return _TAG.sub(" ", text)


def _unescaped(text: str) -> str:
    for _ in range(_ROUNDS):
        # A chain such as &amp;amp;amp;lt; is undone at once, because one step per round would take quadratic time.
        text = _ESCAPED_AMPERSANDS.sub("&", text)
        unescaped = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
        if unescaped == text:
            break
        text = unescaped
    return text


def _without_formulas(text: str) -> str:
    """Remove the remains of Wikipedia's formulas: from a bracket with displaystyle to its closing bracket, or to the end."""
    kept, position = [], 0
    while match := _FORMULA.search(text, position):
        kept += [text[position : match.start()], " "]
        position = _closing(text, match.start())
    return "".join([*kept, text[position:]])


def _closing(text: str, start: int) -> int:
    depth = 0
    for bracket in _BRACKET.finditer(text, start):
        depth += 1 if bracket.group() in "({" else -1
        if depth == 0:
            return bracket.end()
    return len(text)


def _without_hidden_elements(text: str) -> str:
    """Remove scripts, styles and comments with their content; elements without an end are left to the filter of tags."""
    kept, position, search_from = [], 0, 0
    endless: set[str] = set()  # names of elements that have no end in the rest of the text
    while match := _HIDDEN_START.search(text, search_from):
        search_from = match.end()
        name = (match.group(1) or match.group(2)).lower()
        end = None if name in endless else _HIDDEN_END[name].search(text, match.end())
        if end is None:
            endless.add(name)
            search_from = match.start() + 1
            continue
        kept += [text[position : match.start()], " "]
        position = search_from = end.end()
    return "".join([*kept, text[position:]])
