"""What a filter is, and how a list of them is applied to a text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from compactlm.text.unicode import encodable

_ROUNDS = 10
UNREPAIRABLE = "unrepairable"
EMPTY = "empty"
_PLAIN = bytes(byte for byte in range(0x20, 0x7F) if chr(byte) not in "&<\\`")


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
    """Mark a filter that leaves as it is a text of which `is_plain` is true."""
    filter_.plain = True  # type: ignore[attr-defined]
    return filter_


def to_plain(filter_: _Function) -> _Function:
    """Mark a filter that makes plain text wherever it makes ASCII."""
    filter_.to_plain = True  # type: ignore[attr-defined]
    return filter_


def is_plain(text: str) -> bool:
    """Tell whether a text is of printable ASCII, without what begins markup, addresses or odd quotes, and its spaces stand alone inside."""
    return (
        text.isascii()
        and not text.encode().translate(None, _PLAIN)
        and "  " not in text
        and "''" not in text
        and "://" not in text
        and not text.startswith(" ")
        and not text.endswith(" ")
    )


def _is(mark: str, filter_: Filter) -> bool:
    return getattr(getattr(filter_, "func", filter_), mark, False)


class Chain:
    """Filters in order, applied again and again until they change nothing more, so that cleaning a clean text changes nothing.

    What one filter takes away can bring to light work for another: `&lt;b&gt;` is a tag only after it was unescaped.
    """

    def __init__(self, filters: Iterable[Filter]) -> None:
        # Looked up once: there are more texts than anything.
        listed = list(filters)
        self._filters = [(one, _is("settles", one), _is("to_plain", one)) for one in listed]
        self._plain_from = [0] * (len(listed) + 1)  # how many in a row from here on are marked as `plain`
        for place in reversed(range(len(listed))):
            self._plain_from[place] = self._plain_from[place + 1] + 1 if _is("plain", listed[place]) else 0

    def __call__(self, text: str) -> str | Dropped:
        """Return the text, or the reason of the first filter that drops it; `unrepairable` where ten rounds do not settle it."""
        text = before = encodable(text)
        plain = is_plain(text)  # as most texts are
        place = rounds = 0
        settled = 0  # filters in a row that left the text as it is: when all have, so will a further round
        while True:
            if plain:
                settled += self._plain_from[place]
                place += self._plain_from[place]
            if settled >= len(self._filters):
                return text
            if place == len(self._filters):
                rounds += 1
                if text == before:
                    return text
                if rounds == _ROUNDS:
                    return Dropped(UNREPAIRABLE)
                before, place = text, 0
                continue
            apply, settles, to_plain = self._filters[place]
            place += 1
            result = apply(text)
            if result is text:  # as most filters leave most texts: told without a look at the characters
                settled += 1
            elif isinstance(result, Dropped):
                return result
            else:
                settled = settled + 1 if result == text else int(settles)
                text = result
                plain = to_plain and text.isascii()


def apply_filters(text: str, filters: Iterable[Filter]) -> str | Dropped:
    """Do with one text what a `Chain` of these filters does."""
    return Chain(filters)(text)
