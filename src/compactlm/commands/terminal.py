"""Lines of input, printed results, notices, and failures in one sentence."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import typer

from compactlm.errors import CompactLMError, readable
from compactlm.text.formats.lines import read_lines

if TYPE_CHECKING:
    from rich.console import Console

UNDECIDED = 2  # the exit status of a command whose status is a verdict, if there is none
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def judging() -> Iterator[None]:
    """If the block fails, end the command with UNDECIDED and one sentence, because status 1 is a verdict of the command."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (CompactLMError, OSError) as error:
        notice(file_failure(error) if isinstance(error, OSError) else str(error))
        raise typer.Exit(UNDECIDED) from None


def file_failure(error: OSError) -> str:
    """Return one sentence about a file that cannot be read or written, and how to fix it."""
    full = error.errno in DISK_FULL
    what = f"{error.filename} cannot be used" if error.filename else "the output cannot be written" if full else "a file cannot be used"
    fix = "free some disk space, or use another disk" if full else "check that it exists and is readable, or pass another path"
    return f"{what} ({error.strerror or ' '.join(str(error).split())[:200]}); {fix}"


def to_json(value: Any) -> str:
    """Return a value, which may contain dataclasses, as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, default=_fields, allow_nan=False)


def show(value: Any, json: bool, lines: Iterable[str]) -> None:
    """Print a value as one line of JSON, or else the lines that describe it."""
    for line in [to_json(value)] if json else lines:
        typer.echo(line)


def _fields(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def console(width: int) -> Console:
    """Return a console of this width, or of the terminal's width if there is a terminal."""
    from rich.console import Console

    return Console(width=None if "COLUMNS" in os.environ or Console().is_terminal else width)


def notice(sentence: str) -> None:
    """Print a sentence on standard error."""
    typer.echo(readable(f"compactlm: {sentence}"), err=True)


def notice_top1(top1: float | None) -> None:
    """Say how often the first choice for a masked token is right, if it was measured."""
    if top1 is not None:
        notice(f"on test text, the model's first choice is right for {100 * top1:.0f} % of masked tokens")


def notice_replaced(lines: int, where: str = "") -> None:
    """Print the number of lines in which bytes were replaced, if there are any."""
    if lines:
        notice(f"invalid UTF-8 was replaced by U+FFFD in {lines:,} lines{where}")


class TextLines:
    """The texts of the lines of a file. `broken` counts the lines with invalid UTF-8 that were read so far."""

    def __init__(self, file: str) -> None:
        """Take the path; "-" is standard input."""
        self.file, self.broken = file, 0

    def __iter__(self) -> Iterator[str]:
        for line in read_lines(self.file):
            self.broken += line.error is not None
            yield line.text
