"""Checks of the arguments that users of the Python API pass."""

from __future__ import annotations

import math
import operator
import os
from pathlib import Path
from typing import Any

from compactlm.errors import CompactLMError

LARGEST_SEED = 2**32 - 1


def check_whole(name: str, value: Any, least: int, most: int | None = None) -> None:
    """Raise CompactLMError if a value is not a whole number from `least` to `most`. Whole numbers of NumPy are accepted."""
    allowed = f"{least} or more" if most is None else f"{least} to {most}"
    try:
        number = operator.index(value)
    except TypeError:
        raise CompactLMError(f"{name} is {value!r}; pass a whole number, {allowed}") from None
    if number < least or (most is not None and number > most):
        raise CompactLMError(f"{name} is {value}; pass {allowed}")


def check_number(name: str, value: Any, least: float) -> None:
    """Raise CompactLMError if a value is not a finite number of at least `least`."""
    try:
        usable = not isinstance(value, str) and math.isfinite(value) and value >= least
    except (TypeError, ValueError, OverflowError):
        usable = False
    if not usable:
        raise CompactLMError(f"{name} is {value!r}; pass a number, {least:g} or more")


def check_seed(seed: Any) -> None:
    """Raise CompactLMError if a seed is not a whole number that all random generators accept."""
    check_whole("the seed", seed, 0, LARGEST_SEED)


def as_path(name: str, value: Any) -> Path:
    """Return a path from a string or a path object; raise CompactLMError for anything else."""
    if not isinstance(value, str | os.PathLike) or "\0" in os.fspath(value):
        raise CompactLMError(f"{name} is {value!r}; pass a path")
    return Path(value)
