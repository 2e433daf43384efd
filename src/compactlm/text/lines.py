"""Lines of a file or of standard input, broken ones among them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from compactlm.errors import CompactLMError
from compactlm.text.unicode import encodable

STANDARD_INPUT = "-"


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1, its text, and what is wrong with it, or None.

    A line of text with bytes that are not UTF-8 has U+FFFD in their place; a line without a usable text has "".
    """

    number: int
    text: str
    error: str | None = None


def read_lines(path: str, field: str | None = None) -> Iterator[Line]:
    """Yield every line of a file, in order; a broken one does not end it.

    Args:
        path: of the file; "-" is standard input.
        field: None for plain text; else each line is a JSON object with the text under this name.

    Raises:
        CompactLMError: the file cannot be read.
    """
    with contextlib.closing(_contents(path)) as contents:
        for number, content in contents:
            yield _text(number, content) if field is None else _json(number, content, field)


def _contents(path: str) -> Generator[tuple[int, bytes], None, None]:
    stream = _open(path)
    try:
        yield from enumerate(stream, start=1)
    except OSError as error:
        raise CompactLMError(f"{path} cannot be read ({error.strerror}); name a readable file") from None
    finally:
        if stream is not sys.stdin.buffer:
            stream.close()


def _open(path: str) -> BinaryIO:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise CompactLMError(f"{path} cannot be read ({error.strerror}); name a readable file, or - for standard input") from None


def read_text(path: str) -> str:
    """Return the whole of a text file; bytes that are not UTF-8 become U+FFFD.

    Raises:
        CompactLMError: the file cannot be read.
    """
    return "\n".join(line.text for line in read_lines(path))


def text_or_input(text: str) -> str:
    """Return a text that was given, or all of standard input where it is "-"."""
    return read_text(STANDARD_INPUT) if text == STANDARD_INPUT else text


def _text(number: int, content: bytes) -> Line:
    content = content.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf" if number == 1 else b"")
    try:
        return Line(number, content.decode("utf-8"))
    except UnicodeDecodeError:
        return Line(number, content.decode("utf-8", "replace"), "it is not valid UTF-8")


def _json(number: int, content: bytes, field: str) -> Line:
    line, row = _row(number, content)
    if line.error:
        return Line(number, "", line.error)
    if not isinstance(row.get(field), str):
        return Line(number, "", f"it has no text in the field {field!r}")
    return Line(number, encodable(row[field]))


def rows_of(path: str) -> Iterator[tuple[Line, dict[str, Any]]]:
    """Yield every line of a file of JSON objects with the object, which is empty for a broken line.

    Raises:
        CompactLMError: the file cannot be read.
    """
    with contextlib.closing(_contents(path)) as contents:
        for number, content in contents:
            yield _row(number, content)


def _row(number: int, content: bytes) -> tuple[Line, dict[str, Any]]:
    line = _text(number, content)
    if line.error:
        return line, {}
    try:
        row = json.loads(line.text)
    except (ValueError, RecursionError):
        return Line(number, "", "it is not valid JSON"), {}
    return (line, row) if isinstance(row, dict) else (Line(number, "", "it is no JSON object"), {})
