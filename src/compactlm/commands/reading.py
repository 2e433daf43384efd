"""Commands that show what the model makes of a text: fill, inspect, check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from compactlm.commands.common import BackendOption, JsonOption, ModelOption, ThreadsOption, epilogue, load, notice, print_json

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
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Pieces to show for each mask.")] = 5,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Show the likeliest pieces where [MASK] stands."""
    from compactlm.text.lines import text_or_input

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
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Predictions, and pieces attended to, for each piece.")] = 3,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Show pieces, ids, what each layer attends to (on torch) and the predictions at each position."""
    from compactlm.text.lines import text_or_input

    found = load(model, backend, threads).inspect(text_or_input(text), top)
    if found.cut:
        notice(f"the last {found.cut:,} pieces are beyond what the model reads at once and are left out")
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
        notice("ONNX files do not show attention; use --backend torch to see it")


@app.command(epilog=epilogue("compactlm check notes.txt", "cat notes.txt | compactlm check --json -"))
def check(
    file: Annotated[str, typer.Argument(help="A file of lines of text; - reads standard input.")],
    model: ModelOption = None,
    backend: BackendOption = "auto",
    json: JsonOption = False,
) -> None:
    """Tell how the tokenizer fares with a text: round trip, unknown pieces, lines that are too long."""
    from compactlm.text.lines import read_lines

    broken = 0

    def texts() -> Iterator[str]:
        nonlocal broken
        for line in read_lines(file):
            broken += line.error is not None
            yield line.text

    found = load(model, backend).check(texts())
    if json:
        print_json({**vars(found), "not_utf8": broken})
        return
    for name, value in (
        ("lines", found.lines),
        ("pieces", found.pieces),
        ("come back exactly, but for spaces", found.exact),
        ("come back in lower case or without accents", found.normalised),
        ("lose something", found.lost),
        ("not valid UTF-8", broken),
        (f"longer than {found.limit} pieces", found.too_long),
        ("longest, in pieces", found.longest),
        ("unknown pieces", found.unknown),
    ):
        typer.echo(f"{value:>12,}  {name}")
    if found.unknown_words:
        words = ", ".join(f"{word!r} {count}" for word, count in found.unknown_words.most_common(10))
        typer.echo(f"unknown: {words}")
    if found.first_lost:
        typer.echo(f"first line that loses something: {found.first_lost}")
    if found.first_too_long:
        typer.echo(f"first line that is too long: {found.first_too_long}")
