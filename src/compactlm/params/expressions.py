"""The check of regular expressions in settings."""

from __future__ import annotations

import re
import warnings

import regex

CHECK_SECONDS = 1.0


def check_expression(pattern: str, called: str) -> None:
    """Check that a pattern is a regular expression of Python's `re`, and of the package `regex`, which searches with it.

    Raises:
        ValueError: it is not; the message calls the pattern `called`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of sets inside sets
            re.compile(pattern)
            regex.compile(pattern, regex.VERSION0)
    except (re.error, regex.error, ValueError, OverflowError, RecursionError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"{called} is {pattern!r}, which is not a regular expression ({reason}); correct it") from None


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern matches somewhere in a text; a search of more than a second counts as a match."""
    try:
        return bool(regex.compile(pattern, regex.VERSION0).search(text, timeout=CHECK_SECONDS))
    except (TimeoutError, MemoryError):
        return True
