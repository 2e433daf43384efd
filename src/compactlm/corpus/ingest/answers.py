"""The answer to a question about a text, and its position in the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import east_asian_width

from compactlm.artifacts import NO_ANSWER
from compactlm.corpus.ingest.cells import cell_at, shown
from compactlm.errors import CompactLMError
from compactlm.params import AnswerText
from compactlm.text.formats.tables import Row
from compactlm.text.labels import is_missing
from compactlm.text.unicode import encodable

Answer = tuple[str | None, int]
_EDGE = re.compile(r"(?<![\s,;:])[\s,;:]+$")  # what ends the beginning of a longer sentence
NONE: Answer = (None, NO_ANSWER)


class AnswerNotFoundError(Exception):
    """The answer does not occur in the text, and the source skips such rows."""


def read_answer(row: Row, rule: AnswerText, start: str | int | None, text: str, place: str) -> Answer:
    """Return the answer as written in the text, and the offset of its first character; None and NO_ANSWER without an answer.

    Raises:
        CompactLMError: a column is missing or malformed, or the answer does not occur in the text.
        AnswerNotFoundError: the answer does not occur in the text, and `rule` skips such rows.
    """
    given = _first(cell_at(row, rule.column, place, "answer"))
    if given is None or is_missing(given):
        return NONE
    if not isinstance(given, str):
        raise CompactLMError(f"{place}: the column {rule.column!r} of columns.answer holds {shown(given)}, which is not text")
    answer = encodable(given)
    if not answer.strip() or any(answer.strip().startswith(none) for none in rule.none if none):
        return NONE
    if start is not None:
        return _at(answer, _first(cell_at(row, start, place, "answer_start")), text, place)
    found = find_answer(answer.strip(), text, rule)
    if found is not None:
        return found
    if rule.not_found == "skip":
        raise AnswerNotFoundError(place)
    raise CompactLMError(
        f"{place}: the answer {shown(answer)} does not stand in the text; correct the row, or set columns.answer.not_found to skip to "
        "leave such rows out"
    )


def _first(value: object) -> object:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value[0] if value else None
    return value


def _at(answer: str, offset: object, text: str, place: str) -> Answer:
    try:
        first = int(offset) if isinstance(offset, str | int) and not isinstance(offset, bool) else -1
    except ValueError:
        first = -1
    if isinstance(offset, float) and offset.is_integer():  # pandas turns a column of numbers with empty cells into floats
        first = int(offset)
    if first < 0:
        raise CompactLMError(f"{place}: answer_start is {shown(offset)}, which is not a number of characters; correct the row")
    there = text[first : first + len(answer)]
    if there != answer:
        raise CompactLMError(
            f"{place}: the answer {shown(answer)} does not stand at character {first} of the text, where {shown(there)} is; correct "
            "answer_start, or leave columns.answer_start out to search for the answer"
        )
    stripped = answer.strip()
    return stripped, first + answer.index(stripped)


def find_answer(answer: str, text: str, rule: AnswerText) -> Answer | None:
    """Find the first occurrence of an answer by `rule.match`. Return its position and the text there, or None.

    An occurrence of whole words is preferred to an earlier one inside a word.
    """
    if rule.match == "beginning":
        return _longest_beginning(answer, text, rule.minimum_words)
    if rule.match == "loose":
        return _loosely(answer, text)
    whole = _find_whole(answer, text)
    at = text.find(answer) if whole is None else whole
    return (answer, at) if at >= 0 else None


def _find_whole(answer: str, text: str) -> int | None:
    """Return the position of the first occurrence of an answer that neither begins nor ends inside a word."""
    at = text.find(answer)
    while at >= 0:
        if not (_is_inside_word(text, at) or _is_inside_word(text, at + len(answer))):
            return at
        at = text.find(answer, at + 1)
    return None


def _is_inside_word(text: str, place: int) -> bool:
    """Return whether there are letters or digits on both sides of a position. Ideographs are words of their own."""
    sides = text[max(place - 1, 0) : place + 1]
    return len(sides) == 2 and place > 0 and all(side.isalnum() and east_asian_width(side) not in "WF" for side in sides)


def _longest_beginning(answer: str, text: str, least: int) -> Answer | None:
    ends = [word.end() for word in re.finditer(r"\S+", answer)]
    fewest, most = 0, len(ends)
    while fewest < most:  # a beginning of a beginning that stands in the text does too
        middle = (fewest + most + 1) // 2
        fewest, most = (middle, most) if _find_whole(answer[: ends[middle - 1]], text) is not None else (fewest, middle - 1)
    if fewest < least or not fewest:
        return None
    found = _EDGE.sub("", answer[: ends[fewest - 1]])
    at = _find_whole(found, text) if found else None
    return None if at is None else (found, at)


def _loosely(answer: str, text: str) -> Answer | None:
    """Find whole words by their letters and digits in any case. Spaces and punctuation between them are ignored."""
    places = [(place, folded) for place, character in enumerate(text) if character.isalnum() for folded in character.casefold()]
    plain = "".join(folded for _, folded in places)
    wanted = "".join(character.casefold() for character in answer if character.isalnum())
    at = plain.find(wanted) if wanted else -1
    while at >= 0:
        start, end = places[at][0], places[at + len(wanted) - 1][0] + 1
        if not (text[max(start - 1, 0) : start].isalnum() or text[end : end + 1].isalnum()):
            return text[start:end], start
        at = plain.find(wanted, at + 1)
    return None
