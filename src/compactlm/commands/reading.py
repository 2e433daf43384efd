"""Commands that show how the model reads a text: fill, inspect, check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from compactlm.commands.options import BackendOption, JsonOption, ModelOption, ThreadsOption, epilogue, load
from compactlm.commands.terminal import TextLines, notice, notice_top1, show
from compactlm.text.formats.lines import text_or_input

if TYPE_CHECKING:
    from compactlm.inference.coverage import Check
    from compactlm.inference.filling import Candidate
    from compactlm.inference.inspecting import Inspection

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
    """Print the likeliest tokens for each [MASK].

    A line on standard error says how often the first choice is right on test text.
    """
    lm = load(model, backend, threads)
    found = lm.fill(text_or_input(text), top)
    top1 = lm.measured_top1
    masks = [{"mask": number, "candidates": candidates, "measured_top1": top1} for number, candidates in enumerate(found, start=1)]
    show(masks, json, _candidate_lines(found))
    if not json:
        notice_top1(top1)


def _candidate_lines(found: list[list[Candidate]]) -> Iterator[str]:
    for number, candidates in enumerate(found, start=1):
        if len(found) > 1:
            yield f"mask {number}"
        yield from (f"{candidate.probability:7.1%}  {candidate.piece}" for candidate in candidates)


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
        notice(f"the last {found.cut:,} tokens are truncated because the text is longer than the model accepts")
    show(found, json, _position_lines(found))
    if not json and found.positions and not found.positions[0].attends_to:
        notice("ONNX files have no attention output; attention needs --backend torch and a model such as models/student")


def _position_lines(found: Inspection) -> Iterator[str]:
    for row, position in enumerate(found.positions):
        predictions = ", ".join(f"{candidate.piece} {candidate.probability:.0%}" for candidate in position.predictions)
        yield f"{row:3}  {position.piece:<16} {position.id:>6}  predicts {predictions}"
        for layer, shares in enumerate(position.attends_to, start=1):
            seen = ", ".join(f"{found.positions[at].piece}@{at} {share:.0%}" for at, share in shares)
            yield f"{'':29}layer {layer}: {seen}"


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
    show({**vars(found), "not_utf8": lines.broken}, json, _count_lines(found, lines.broken))


def _count_lines(found: Check, broken: int) -> Iterator[str]:
    for name, value in (
        ("lines", found.lines),
        ("tokens", found.pieces),
        ("lines decode exactly, apart from spaces", found.exact),
        ("lines decode in lower case or without accents", found.normalised),
        ("lines lose text", found.lost),
        ("lines are not valid UTF-8", broken),
        (f"lines are longer than {found.limit} tokens", found.too_long),
        ("tokens in the longest line", found.longest),
        ("unknown tokens", found.unknown),
    ):
        yield f"{value:>12,}  {name}"
    if found.unknown_words:
        words = ", ".join(f"{word!r} {count}" for word, count in found.unknown_words.most_common(10))
        yield f"unknown: {words}"
    if found.first_lost:
        yield f"first line that loses text: {found.first_lost}"
    if found.first_too_long:
        yield f"first line that is too long: {found.first_too_long}"
