"""Commands that compare texts: embed, compare, similar."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from compactlm.commands.common import (
    BackendOption,
    JsonOption,
    ModelOption,
    ThreadsOption,
    epilogue,
    load,
    notice_replaced,
    print_json,
    to_json,
)

app = typer.Typer()


@app.command(epilog=epilogue('compactlm embed "A good day."', "compactlm embed - < lines.txt > vectors.jsonl"))
def embed(
    text: Annotated[str, typer.Argument(help="The text; - reads standard input, a text a line.")],
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Print a text's embedding, a vector of length 1; of lines, one vector a line.

    Numbers are parted by spaces, or with --json in a list.
    """
    from compactlm.inference.embedding import TEXTS_AT_ONCE
    from compactlm.text.lines import read_lines

    lm = load(model, backend, threads)
    broken = 0

    def texts() -> Iterator[str]:
        nonlocal broken
        for line in read_lines("-"):
            broken += line.error is not None
            yield line.text

    for chunk in _chunks(texts() if text == "-" else iter([text]), TEXTS_AT_ONCE):
        for vector in lm.embed(chunk).tolist():
            sys.stdout.write((to_json(vector) if json else " ".join(f"{value:.6f}" for value in vector)) + "\n")
    sys.stdout.flush()
    notice_replaced(broken)


def _chunks(texts: Iterator[str], size: int) -> Iterator[list[str]]:
    while chunk := list(islice(texts, size)):
        yield chunk


@app.command(epilog=epilogue('compactlm compare "i am good" "i am bad"', "compactlm compare good nice --json"))
def compare(
    first: Annotated[str, typer.Argument(help="A text.")],
    second: Annotated[str, typer.Argument(help="Another.")],
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Tell how near two texts are: similarity (cosine, at most 1) and distance (0 to 2).

    Near means that they speak of similar things: opposites, such as good and bad, are near too.
    """
    found = load(model, backend, threads).compare(first, second)
    if json:
        print_json(found)
        return
    typer.echo(f"similarity {found.similarity:6.3f}")
    typer.echo(f"distance   {found.distance:6.3f}")


@app.command(epilog=epilogue("compactlm similar good", 'compactlm similar "where is my parcel" --file questions.txt --top 3'))
def similar(
    text: Annotated[str, typer.Argument(help="A word or a text; - reads standard input.")],
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Search the lines of this file, not the words of the vocabulary.")
    ] = None,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="How many to show.")] = 10,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Show the words, or the lines of a file, that are nearest to a text.

    What is searched is embedded at the first time and kept in the cache directory (COMPACTLM_CACHE).
    """
    from compactlm.text.lines import text_or_input

    for neighbour in (found := load(model, backend, threads).similar(text_or_input(text), top, file)):
        if not json:
            typer.echo(f"{neighbour.similarity:6.3f}  {neighbour.text}")
    if json:
        print_json(found)
