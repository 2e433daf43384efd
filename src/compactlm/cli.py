"""`compactlm ...`: what people type, thin."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Annotated

import typer

from compactlm import __version__
from compactlm.commands import answering, beyond, comparing, pipeline, reading, sorting, writing
from compactlm.errors import CompactLMError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

app = typer.Typer(no_args_is_help=True, help="A compact BERT from text and a BERT teacher.")
for commands in (reading, writing, sorting, comparing, answering, pipeline, beyond):
    app.add_typer(commands.app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"compactlm {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None: ...


def main() -> None:
    """Run the command line.

    The exit status is 0, or 1 after a failure that a user can mend (one sentence), 2 where the command is mistyped, 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        # What a terminal's or a pipe's encoding lacks is shown as a question mark, and ends nothing.
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")
    try:
        app()
    except CompactLMError as error:
        typer.echo(f"compactlm: {error}", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        room = error.errno in NO_ROOM
        what = f"{error.filename} cannot be used" if error.filename else "the output cannot be written" if room else "a file cannot be used"
        mend = "make room there, or name another place" if room else "look whether it is whole and open to you, or name another"
        typer.echo(f"compactlm: {what} ({error.strerror or ' '.join(str(error).split())[:200]}); {mend}", err=True)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - what is left in the old one would fail again at the end
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
