"""Filters of texts, and chains that apply several filters."""

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
    """The result of a filter that drops a text. Dropped rows are counted by reason."""

    reason: str


Filter = Callable[[str], str | Dropped]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def settling(filter_: _Function) -> _Function:
    """Mark a filter that never changes its own results, so that it need not run on them again."""
    filter_.settles = True  # type: ignore[attr-defined]
    return filter_


def plain(filter_: _Function) -> _Function:
    """Mark a filter that does not change a text for which `is_plain` is true."""
    filter_.plain = True  # type: ignore[attr-defined]
    return filter_


def to_plain(filter_: _Function) -> _Function:
    """Mark a filter whose results are plain if they are ASCII."""
    filter_.to_plain = True  # type: ignore[attr-defined]
    return filter_


def is_plain(text: str) -> bool:
    """Return whether a text is printable ASCII with single spaces, and has no start of markup or an address and no unusual quotes."""
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
    """Filters in order, applied repeatedly until none of them changes the text, so that cleaning a clean text changes nothing.

    A filter can create work for an earlier one: `&lt;b&gt;` becomes a tag only when it is unescaped.
    """

    def __init__(self, filters: Iterable[Filter]) -> None:
        # Looked up once, because there are many texts.
        listed = list(filters)
        self._filters = [(one, _is("settles", one), _is("to_plain", one)) for one in listed]
        self._plain_from = [0] * (len(listed) + 1)  # the number of consecutive filters from here on that are marked `plain`
        for place in reversed(range(len(listed))):
            self._plain_from[place] = self._plain_from[place + 1] + 1 if _is("plain", listed[place]) else 0

    def __call__(self, text: str) -> str | Dropped:
        """Return the text, or the reason of the first filter that drops it (`unrepairable` if it still changes after ten rounds)."""
        text = before = encodable(text)
        plain = is_plain(text)  # true for most texts
        place = rounds = 0
        settled = 0  # consecutive filters that did not change the text; if all did not, a further round will not either
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
            if result is text:  # true for most filters and texts, and known without comparing characters
                settled += 1
            elif isinstance(result, Dropped):
                return result
            else:
                settled = settled + 1 if result == text else int(settles)
                text = result
                plain = to_plain and text.isascii()


def apply_filters(text: str, filters: Iterable[Filter]) -> str | Dropped:
    """Apply a chain of filters to one text."""
    return Chain(filters)(text)
