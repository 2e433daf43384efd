"""Users' regular expressions, with a bound on the time that one text takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import regex

from compactlm.errors import CompactLMError

SECONDS = 5.0  # an expression without nested repetition takes microseconds on a text of usual length
_SHOWN = 40
_Found = TypeVar("_Found")


class BoundedExpression:
    """A compiled regular expression that searches one text for at most `SECONDS` of processor time.

    Args:
        pattern: the expression, in the syntax of Python's `re`.
        setting: the name of the setting that holds it, for messages.

    Every method raises CompactLMError if the time is over.
    """

    def __init__(self, pattern: str, setting: str) -> None:
        self._setting = setting
        # The package regex takes a limit of time, which re does not. In version 0 it reads patterns as re does.
        self._pattern = regex.compile(pattern, regex.VERSION0)

    def found_in(self, text: str, where: str = "") -> bool:
        """Return whether the expression matches somewhere in the text."""
        return bool(self._bounded(lambda: self._pattern.search(text, timeout=SECONDS), text, where))

    def end_of_start(self, text: str, where: str = "") -> int:
        """Return where a match at the start of the text ends; 0 without a match."""
        found = self._bounded(lambda: self._pattern.match(text, timeout=SECONDS), text, where)
        return found.end() if found else 0

    def spans(self, text: str, where: str = "") -> list[tuple[int, int]]:
        """Return start and end of each match, from left to right."""
        return [found.span() for found in self._bounded(lambda: list(self._matches(text)), text, where)]

    def replace(self, text: str, replacement: str, where: str = "") -> str:
        """Replace each match by `replacement`, which is taken literally."""
        return self._bounded(lambda: self._pattern.sub(lambda _: replacement, text, timeout=SECONDS), text, where)

    def _matches(self, text: str) -> Iterator[Any]:
        return self._pattern.finditer(text, timeout=SECONDS)

    def _bounded(self, search: Callable[[], _Found], text: str, where: str) -> _Found:
        try:
            return search()
        except (TimeoutError, MemoryError):
            raise CompactLMError(
                f"{where + ': ' if where else ''}the regular expression {_shown(self._pattern.pattern)} of {self._setting} takes more than "
                f"{SECONDS:g} s on a text of {len(text):,} characters, which starts with {_shown(text)}; write it without a repetition "
                "inside another one, such as (a+)+, and without alternatives that match the same text"
            ) from None


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
