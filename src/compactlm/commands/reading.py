"""Commands that show how the model reads a text: fill, inspect, check."""

from __future__ import annotations

from typing import Annotated

import typer

from compactlm.commands.common import BackendOption, JsonOption, ModelOption, TextLines, ThreadsOption, epilogue, load, notice, print_json
from compactlm.text.lines import text_or_input

app = typer.Typer()


@app.command(
    epilog=epilogue(
        'compactlm fill "The cat sits on the [MASK]."',
        'compactlm fill --top 3 --json "I [MASK] this [MASK]."',
        'echo "A [MASK] day." | compactlm fill -',
    )
)
def fill(
    text: Annotated[str, typer.Argument(help="Text with one or more [MASK]; - reads standard input.")],
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Number of tokens for each mask.")] = 5,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Print the likeliest tokens for each [MASK]."""
    found = load(model, backend, threads).fill(text_or_input(text), top)
    if json:
        print_json([{"mask": number, "candidates": candidates} for number, candidates in enumerate(found, start=1)])
        return
    for number, candidates in enumerate(found, start=1):
        if len(found) > 1:
            typer.echo(f"mask {number}")
        for candidate in candidates:
            typer.echo(f"{candidate.probability:7.1%}  {candidate.piece}")


@app.command(epilog=epilogue('compactlm inspect --backend torch "The cat sits on the mat."'))
def inspect(
    text: Annotated[str, typer.Argument(help="The text; - reads standard input.")],
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Number of predictions and of attention shares for each token.")] = 3,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Print the tokens of a text with ids, predictions and attention.

    Predictions are the likeliest tokens at each position. Attention needs the torch backend.
    """
    found = load(model, backend, threads).inspect(text_or_input(text), top)
    if found.cut:
        notice(f"the last {found.cut:,} tokens are skipped because the text is longer than the model reads")
    if json:
        print_json(found)
        return
    for row, position in enumerate(found.positions):
        predictions = ", ".join(f"{candidate.piece} {candidate.probability:.0%}" for candidate in position.predictions)
        typer.echo(f"{row:3}  {position.piece:<16} {position.id:>6}  predicts {predictions}")
        for layer, shares in enumerate(position.attends_to, start=1):
            seen = ", ".join(f"{found.positions[at].piece}@{at} {share:.0%}" for at, share in shares)
            typer.echo(f"{'':29}layer {layer}: {seen}")
    if found.positions and not found.positions[0].attends_to:
        notice("ONNX files have no attention output; use --backend torch to see it")


@app.command(epilog=epilogue("compactlm check notes.txt", "cat notes.txt | compactlm check --json -"))
def check(
    file: Annotated[str, typer.Argument(help="A text file; - reads standard input.")],
    model: ModelOption = None,
    backend: BackendOption = "auto",
    json: JsonOption = False,
) -> None:
    """Count unknown tokens, changed and lost text, and lines that are too long."""
    lines = TextLines(file)
    found = load(model, backend).check(lines)
    if json:
        print_json({**vars(found), "not_utf8": lines.broken})
        return
    for name, value in (
        ("lines", found.lines),
        ("tokens", found.pieces),
        ("lines decode exactly, apart from spaces", found.exact),
        ("lines decode in lower case or without accents", found.normalised),
        ("lines lose text", found.lost),
        ("lines are not valid UTF-8", lines.broken),
        (f"lines are longer than {found.limit} tokens", found.too_long),
        ("tokens in the longest line", found.longest),
        ("unknown tokens", found.unknown),
    ):
        typer.echo(f"{value:>12,}  {name}")
    if found.unknown_words:
        words = ", ".join(f"{word!r} {count}" for word, count in found.unknown_words.most_common(10))
        typer.echo(f"unknown: {words}")
    if found.first_lost:
        typer.echo(f"first line that loses text: {found.first_lost}")
    if found.first_too_long:
        typer.echo(f"first line that is too long: {found.first_too_long}")
