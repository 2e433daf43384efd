"""Text that can be encoded as UTF-8."""

from __future__ import annotations

from typing import Any


def encodable(text: str) -> str:
    """Return the text with surrogate pairs joined and each lone surrogate replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def encodable_values(value: Any) -> Any:
    """Return a value of JSON with every string, at any depth, as `encodable` returns it. JSON can name lone surrogates by escapes."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list):
        return [encodable_values(one) for one in value]
    if isinstance(value, dict):
        return {encodable(key): encodable_values(one) for key, one in value.items()}
    return value
