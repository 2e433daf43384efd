"""Commands that compare texts: embed, compare, similar."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from compactlm.commands.options import BackendOption, JsonOption, ModelOption, ThreadsOption, epilogue, load
from compactlm.commands.terminal import TextLines, notice_replaced, show, to_json
from compactlm.text.formats.lines import text_or_input

app = typer.Typer()


@app.command(epilog=epilogue('compactlm embed "A good day."', "compactlm embed --json - < lines.txt > vectors.jsonl"))
def embed(
    text: Annotated[str, typer.Argument(help="The text; - reads standard input, one text per line.")],
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Print the embedding of a text, or of each line.

    An embedding is a vector of length 1 on one line. Spaces separate the numbers; --json prints a list.
    """
    from compactlm.inference.embedding import TEXTS_AT_ONCE

    lm, lines = load(model, backend, threads), TextLines("-")
    texts = iter(lines if text == "-" else [text])
    while chunk := list(islice(texts, TEXTS_AT_ONCE)):
        for vector in lm.embed(chunk).tolist():
            sys.stdout.write((to_json(vector) if json else " ".join(f"{value:.6f}" for value in vector)) + "\n")
    sys.stdout.flush()
    notice_replaced(lines.broken)


@app.command(epilog=epilogue('compactlm compare "i am good" "i am bad"', "compactlm compare good nice --json"))
def compare(
    first: Annotated[str, typer.Argument(help="The first text.")],
    second: Annotated[str, typer.Argument(help="The second text.")],
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Print the similarity (cosine, at most 1) and the distance (0 to 2) of two texts.

    Texts about similar things are near each other. Opposites, such as good and bad, are near each other, too.
    """
    found = load(model, backend, threads).compare(first, second)
    show(found, json, [f"similarity {found.similarity:6.3f}", f"distance   {found.distance:6.3f}"])


@app.command(epilog=epilogue("compactlm similar good", 'compactlm similar "where is my parcel" --file questions.txt --top 3'))
def similar(
    text: Annotated[str, typer.Argument(help="A word or a text; - reads standard input.")],
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Search the lines of this file instead of the vocabulary.")] = None,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Number of results.")] = 10,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Print the words, or the lines of a file, that are nearest to a text.

    The words or lines are embedded at first use, and their embeddings are kept in the cache directory (COMPACTLM_CACHE).
    """
    found = load(model, backend, threads).similar(text_or_input(text), top, file)
    show(found, json, (f"{neighbour.similarity:6.3f}  {neighbour.text}" for neighbour in found))
