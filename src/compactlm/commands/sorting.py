"""Commands about tasks: classify."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from compactlm.commands.common import (
    BackendOption,
    JsonOption,
    ModelOption,
    TaskOption,
    ThreadsOption,
    epilogue,
    load,
    notice,
    print_json,
    to_json,
)
from compactlm.errors import CompactLMError

if TYPE_CHECKING:
    from compactlm.inference.classifying import Classification
    from compactlm.inference.lines import Line

app = typer.Typer()


@app.command(
    epilog=epilogue(
        'compactlm classify "A film to remember."',
        "compactlm classify --file reviews.txt > labels.tsv",
        "zcat rows.jsonl.gz | compactlm classify --field message --json -",
    )
)
def classify(
    text: Annotated[str | None, typer.Argument(help="The text; - reads standard input, a text a line.")] = None,
    file: Annotated[str | None, typer.Option("--file", "-f", help="A file with a text a line.")] = None,
    field: Annotated[str | None, typer.Option(help="Lines are JSON objects with the text in this field.")] = None,
    line_buffered: Annotated[bool, typer.Option("--line-buffered", help="Answer each line before the next is read.")] = False,
    task: TaskOption = "sentiment",
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Give a text, or each line of a file, a label of a task.

    Each line gets one line: label, probability and text, parted by tabs. A line that cannot be read gets an empty label.
    """
    from compactlm.inference.classifying import TEXTS_AT_ONCE
    from compactlm.inference.lines import read_lines

    if (text is None) == (file is None):
        raise typer.BadParameter("give either a text or --file")
    lm = load(model, backend, threads)
    limit = lm.task(task).pieces.limit
    if text is not None and text != "-":
        answer = lm.classify(text, task)
        if answer.cut:
            notice(f"the text is longer than {limit} pieces, so only its start was read")
        _print(answer, json)
        return
    waiting: deque[Line] = deque()

    def texts() -> Iterator[str]:
        for line in read_lines(file or "-", field):
            waiting.append(line)
            yield line.text

    cut, broken = 0, []
    write = sys.stdout.write  # typer.echo would wait for the reader after each line
    for answer in lm.classify_all(texts(), task, 1 if line_buffered else TEXTS_AT_ONCE):
        line = waiting.popleft()
        cut += answer.cut
        if line.error:
            broken.append(f"line {line.number}: {line.error}")
        write(_row(line, answer, field is not None, json))
        if line_buffered:
            sys.stdout.flush()
    sys.stdout.flush()
    if cut:
        notice(f"{cut:,} texts are longer than {limit} pieces, so only their start was read")
    if broken and field is not None:
        raise CompactLMError(f"{len(broken):,} lines could not be read and have no label ({broken[0]}); mend them and classify them again")
    if broken:
        notice(f"{len(broken):,} lines were read with U+FFFD in the place of bytes that could not be read ({broken[0]})")


def _print(answer: Classification, json: bool) -> None:
    if json:
        print_json(answer)
        return
    typer.echo(answer.label)
    for label, probability in answer.probabilities.items():
        typer.echo(f"{probability:7.1%}  {label}")


def _row(line: Line, answer: Classification, structured: bool, json: bool) -> str:
    if structured and line.error:
        return to_json({"error": line.error}) + "\n" if json else "\t\t\n"
    return to_json(answer) + "\n" if json else f"{answer.label}\t{answer.probability:.4f}\t{line.text}\n"
