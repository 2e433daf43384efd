"""Filter of markup: HTML entities and tags, scripts, comments and TeX formulas, in time linear in the length of the text."""

from __future__ import annotations

import html
import re
from html.entities import html5

from compactlm.corpus.clean.filters.base import plain
from compactlm.corpus.clean.filters.html_names import BARE_ATTRIBUTES, ELEMENTS, INLINE

_ROUNDS = 10
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_ESCAPED_AMPERSANDS = re.compile(r"&(?:(?:amp|AMP|#38|#x26|#X26);)+")
# Values end at the next "<" at the latest, and quantifiers are possessive, so that each character is read a bounded number of times.
_VALUE = r"""(?:"[^"<]*+"|'[^'<]*+'|[^\s"'=<>`][^\s"'<>`]*+)"""
_ATTRIBUTE = rf"""(?:[^\s"'<>/=]++\s*+=\s*+{_VALUE}|(?:{"|".join(sorted(BARE_ATTRIBUTES, key=len, reverse=True))})(?=[\s/>]))"""
_ATTRIBUTES = rf"(?P<attributes>(?>(?:(?:\s++|(?<=[\"'])){_ATTRIBUTE})*))"
_HIDDEN_START = re.compile(rf"<(?P<name>script|style){_ATTRIBUTES}\s*+>|(?P<comment><!--)", re.IGNORECASE)
_HIDDEN_END = {
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
    "<!--": re.compile("-->"),
}
_TAG = re.compile(rf"<(?P<end>/?)(?P<name>[a-z][a-z0-9]*+){_ATTRIBUTES}\s*+/?>|<!doctype\b[^<>]*+>|<\?xml\b[^<>]*+>", re.IGNORECASE)
_END_TAG = re.compile(r"</([a-zA-Z][a-zA-Z0-9]*+)\s*+>")
_FORMULA = re.compile(r"[({]\\displaystyle\b")
_BRACKET = re.compile(r"[(){}]")


@plain
def remove_markup(text: str) -> str:
    """Unescape HTML entities (also repeatedly escaped ones), and remove HTML tags, comments, scripts, styles and TeX formulas.

    A tag has the name of an HTML element and well-formed attributes. Other angle brackets stay, as in `if a<b then c>d`, `<Alice>` and
    `List<String>`. An attribute without a value must be one of HTML's. A name of three or more letters in mixed case, such as
    `<Object>`, is a tag only if it has attributes or an end tag.
    """
    if "&" in text:
        text = _unescaped(text)
    if "\\displaystyle" in text:
        text = _without_formulas(text)
    if "<" not in text:
        return text
    text = _without_hidden_elements(text)
    return _without_tags(text) if ">" in text else text


def _without_tags(text: str) -> str:
    closed: set[str] | None = None

    def replaced(tag: re.Match[str]) -> str:
        nonlocal closed
        name = tag["name"]
        if name is None:  # a document type or an XML declaration
            return " "
        if name.lower() not in ELEMENTS or (tag["end"] and tag["attributes"]):
            return tag.group()
        if not (tag["end"] or tag["attributes"] or name.islower() or name.isupper() or len(name) < 3):
            if closed is None:
                closed = set(_END_TAG.findall(text))
            if name not in closed:
                return tag.group()
        return "" if name.lower() in INLINE else " "

    return _TAG.sub(replaced, text)


def _unescaped(text: str) -> str:
    for _ in range(_ROUNDS):
        # A chain such as &amp;amp;amp;lt; is undone at once, because one step per round would take quadratic time.
        text = _ESCAPED_AMPERSANDS.sub("&", text)
        unescaped = _ENTITY.sub(_unescaped_entity, text)
        if unescaped == text:
            break
        text = unescaped
    return text


def _unescaped_entity(match: re.Match[str]) -> str:
    # html.unescape also reads the beginning of an unknown name, such as &not in &notit;.
    entity = match.group()
    return html.unescape(entity) if entity[1] == "#" or entity[1:] in html5 else entity


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
        name = (match["name"] or match["comment"]).lower()
        end = None if name in endless else _HIDDEN_END[name].search(text, match.end())
        if end is None:
            endless.add(name)
            search_from = match.start() + 1
            continue
        kept += [text[position : match.start()], " "]
        position = search_from = end.end()
    return "".join([*kept, text[position:]])
