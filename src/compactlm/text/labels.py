"""Read labels from the cells of a table, in the same way for the pipeline and for fine-tuning."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_TRUTH = ("true", "false")


def label_text(value: object) -> str:
    """Return a cell as a label: text without white space around it, a number, true or false; "" if the cell has no label.

    None and NaN are no labels. Equal numbers have equal labels, so 1.0 is "1".

    Raises:
        ValueError: the cell holds something else, such as a list; the message says what.
    """
    if hasattr(value, "item") and not isinstance(value, str):  # a number of NumPy
        value = value.item()
    if is_missing(value):
        return ""
    if isinstance(value, bool):
        return _TRUTH[not value]
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, str | int):
        return str(value).strip()
    shown = repr(value)
    raise ValueError(f"{shown[:80]}{'...' * (len(shown) > 80)} is not a label")


def is_missing(value: object) -> bool:
    """Return whether a cell is None or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def normal_label(text: str) -> str:
    """Return a label in a common spelling for equal numbers and truth values: "1" for "1.0", "true" for "True"."""
    whole = _WHOLE.fullmatch(text)
    return whole.group(1) if whole else text.lower() if text.lower() in _TRUTH else text


def find_label(given: str, known: Iterable[str]) -> str | None:
    """Return the known label that equals `given` or is another spelling of the same number or truth value, or None."""
    listed = list(known)
    if given in listed:
        return given
    return next((label for label in listed if normal_label(label) == normal_label(given)), None)
