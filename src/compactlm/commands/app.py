"""The application with all commands. It prints failures as one sentence."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from compactlm import __version__
from compactlm.commands import answering, blind, browsing, comparing, finetuning, pipeline, reading, serving, unsupported, writing
from compactlm.commands.improvement import adopting, labelling, picking, promoting, watching
from compactlm.commands.tasks import classifying, extracting, ranking, scoring, tagging
from compactlm.commands.terminal import file_failure, notice
from compactlm.errors import CompactLMError

MISTYPED = 2  # the status of a mistyped command

app = typer.Typer(no_args_is_help=True, help="A compact BERT from text and a BERT teacher.")
for commands in (
    reading,
    writing,
    classifying,
    scoring,
    ranking,
    tagging,
    extracting,
    finetuning,
    comparing,
    answering,
    blind,
    serving,
    browsing,
    watching,
    picking,
    labelling,
    adopting,
    promoting,
    pipeline,
    unsupported,
):
    app.add_typer(commands.app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"compactlm {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None: ...


def run() -> None:
    """Run the command in sys.argv and exit; cli.main describes the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # Characters that the encoding of a terminal or a pipe lacks become question marks.
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")
    try:
        app()
    except SystemExit as error:
        if error.code == MISTYPED:
            _hint_at_dashes(sys.argv[1:])
        raise
    except CompactLMError as error:
        _fail(str(error))
    except OSError as error:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - flushing the old stream at exit would fail again
        _fail(file_failure(error))


def _hint_at_dashes(arguments: list[str]) -> None:
    """Say how to pass a text that begins with a dash, if there is one."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for before, text in zip(["", *options], options, strict=False):
        if before.startswith("-") and text[1:].replace(".", "", 1).isdigit():
            continue  # the value of an option, as in --top -1
        if text.startswith("-") and (" " in text or text[1:2].isdigit()):
            notice(f'to pass a text that begins with a dash, write -- before it: compactlm COMMAND -- "{text}"')
            return


def _fail(sentence: str) -> None:
    notice(sentence)
    raise SystemExit(1) from None
