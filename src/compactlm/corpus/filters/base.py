"""What a filter is, and how a list of them is applied to a text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

_PASSES = 10
UNREPAIRABLE = "unrepairable"
EMPTY = "empty"


@dataclasses.dataclass(frozen=True, slots=True)
class Dropped:
    """A text that a filter drops.

    Attributes:
        reason: why, as a name that rows are counted by.
    """

    reason: str


Filter = Callable[[str], str | Dropped]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def settling(filter_: _Function) -> _Function:
    """Mark a filter that leaves what it made as it is, so that it need not look at its own work."""
    filter_.settles = True  # type: ignore[attr-defined]
    return filter_


def _settles(filter_: Filter) -> bool:
    return getattr(getattr(filter_, "func", filter_), "settles", False)


def apply_filters(text: str, filters: Sequence[Filter]) -> str | Dropped:
    """Apply the filters in order, again and again until they change nothing more, so that cleaning a clean text changes nothing.

    What one filter takes away can bring to light work for another: `&lt;b&gt;` is a tag only after it was unescaped.

    Returns:
        The text, or the reason of the first filter that drops it; `unrepairable` where ten rounds do not settle it.
    """
    text = encodable(text)
    settled = 0  # filters in a row that left the text as it is: when all have, so will a further round
    for _ in range(_PASSES):
        before = text
        for apply in filters:
            result = apply(text)
            if result is text:  # as most filters leave most texts: told without a look at the characters
                settled += 1
            elif isinstance(result, Dropped):
                return result
            else:
                settled = settled + 1 if result == text else int(_settles(apply))
                text = result
            if settled == len(filters):
                return text
        if text == before:
            return text
    return Dropped(UNREPAIRABLE)


def encodable(text: str) -> str:
    """Join surrogate pairs, and put U+FFFD for what is left alone of one, which no UTF-8 file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
