"""Lines of text and JSON objects from a file or standard input. A broken line is reported and does not end the reading."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from compactlm.errors import CompactLMError
from compactlm.text.unicode import encodable, encodable_values

STANDARD_INPUT = "-"
ESCAPE = "\\u"  # only with it can JSON name a surrogate


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of a file.

    Attributes:
        number: the number of the line, from 1.
        text: the text. Bytes that are not UTF-8 are replaced by U+FFFD; a line of JSON without a usable text has "".
        error: what is wrong with the line, or None.
    """

    number: int
    text: str
    error: str | None = None


def read_lines(path: str, field: str | None = None) -> Iterator[Line]:
    """Yield every line of a file in order, including broken lines.

    Args:
        path: the path of the file; "-" is standard input.
        field: None for plain text; otherwise each line is a JSON object with the text in this field.

    Raises:
        CompactLMError: the file cannot be read.
    """
    if field is None:
        with contextlib.closing(_read_bytes(path)) as contents:
            for number, content in contents:
                yield _decode(number, content)
        return
    for line, row in read_objects(path):
        if line.error:
            yield Line(line.number, "", line.error)
        elif not isinstance(row.get(field), str):
            yield Line(line.number, "", f"it has no text in the field {field!r}")
        else:
            yield Line(line.number, encodable(row[field]))


def read_objects(path: str) -> Iterator[tuple[Line, dict[str, Any]]]:
    """Yield every line of a file of JSON objects with its object ({} for a broken line). It raises the errors of `read_lines`."""
    with contextlib.closing(_read_bytes(path)) as contents:
        for number, content in contents:
            line, row = _decode(number, content), {}
            if not line.error:
                try:
                    row = parse_object(line.text)
                except ValueError as error:
                    line = Line(number, "", str(error))
            yield line, row


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object that a line holds.

    Raises:
        ValueError: the line is not valid JSON, is not an object, or has a key twice; the message says which.
    """
    try:
        row = json.loads(text, object_pairs_hook=_different)
        row = encodable_values(row) if ESCAPE in text else row
    except RepeatedKeyError:
        raise
    except (ValueError, RecursionError) as error:  # a number of thousands of digits raises a plain ValueError
        raise ValueError("it is not valid JSON") from error
    if not isinstance(row, dict):
        raise ValueError("it is not a JSON object")
    return row


class RepeatedKeyError(ValueError):
    """A JSON object has the same key twice, so one of the values would be lost."""


def _different(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RepeatedKeyError(f"it has the key {key!r} twice")
        found[key] = value
    return found


def read_text(path: str) -> str:
    """Return the text of a whole file; bytes that are not UTF-8 become U+FFFD, and errors are those of `read_lines`."""
    return "\n".join(line.text for line in read_lines(path))


def read_exact(path: str) -> str:
    """Do the same as `read_text`, but keep line breaks unchanged, so that positions in the text stay valid."""
    with contextlib.closing(_read_bytes(path)) as contents:
        content = b"".join(line for _, line in contents)
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def text_or_input(text: str) -> str:
    """Return the given text, or all of standard input if it is "-"."""
    return read_text(STANDARD_INPUT) if text == STANDARD_INPUT else text


def _read_bytes(path: str) -> Generator[tuple[int, bytes], None, None]:
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


def _decode(number: int, content: bytes) -> Line:
    content = content.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf" if number == 1 else b"")
    try:
        return Line(number, content.decode("utf-8"))
    except UnicodeDecodeError:
        return Line(number, content.decode("utf-8", "replace"), "it is not valid UTF-8")
