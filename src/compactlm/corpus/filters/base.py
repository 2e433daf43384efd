"""What a filter is, and how a list of them is applied to a text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
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


def plain(filter_: _Function) -> _Function:
    """Mark a filter that leaves plain words as they are: ASCII letters with single spaces between them."""
    filter_.plain = True  # type: ignore[attr-defined]
    return filter_


def to_plain(filter_: _Function) -> _Function:
    """Mark a filter that makes plain words of ASCII; those marked as `plain` need not be asked about what it made."""
    filter_.to_plain = True  # type: ignore[attr-defined]
    return filter_


def _is(mark: str, filter_: Filter) -> bool:
    return getattr(getattr(filter_, "func", filter_), mark, False)


class Chain:
    """Filters in order, applied again and again until they change nothing more, so that cleaning a clean text changes nothing.

    What one filter takes away can bring to light work for another: `&lt;b&gt;` is a tag only after it was unescaped.
    """

    def __init__(self, filters: Iterable[Filter]) -> None:
        # Looked up once: there are more texts than anything.
        self._filters = [(one, _is("plain", one), _is("settles", one), _is("to_plain", one)) for one in filters]

    def __call__(self, text: str) -> str | Dropped:
        """Return the text, or the reason of the first filter that drops it; `unrepairable` where ten rounds do not settle it."""
        text = encodable(text)
        settled = 0  # filters in a row that left the text as it is: when all have, so will a further round
        words = False  # whether the text is known for plain words
        for _ in range(_PASSES):
            before = text
            for apply, plain, settles, to_plain in self._filters:
                result = text if words and plain else apply(text)
                if result is text:  # as most filters leave most texts: told without a look at the characters
                    settled += 1
                elif isinstance(result, Dropped):
                    return result
                else:
                    settled = settled + 1 if result == text else int(settles)
                    text = result
                    words = to_plain and text.isascii()
                if settled == len(self._filters):
                    return text
            if text == before:
                return text
        return Dropped(UNREPAIRABLE)


def apply_filters(text: str, filters: Iterable[Filter]) -> str | Dropped:
    """Do with one text what a `Chain` of these filters does."""
    return Chain(filters)(text)


def encodable(text: str) -> str:
    """Join surrogate pairs, and put U+FFFD for what is left alone of one, which no UTF-8 file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
