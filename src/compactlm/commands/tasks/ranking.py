"""The command that orders passages: rerank."""

from __future__ import annotations

from typing import Annotated

import typer

from compactlm.commands.options import BackendOption, JsonOption, ModelOption, ThreadsOption, epilogue, load
from compactlm.commands.tasks.options import FittingTaskOption
from compactlm.commands.tasks.streams import flat
from compactlm.commands.terminal import TextLines, notice_replaced, show
from compactlm.text.formats.lines import text_or_input

app = typer.Typer()


@app.command(
    epilog=epilogue(
        'compactlm rerank "how many legs has a spider" --file passages.txt --top 3',
        'compactlm rerank "is it red" --file passages.txt --task entailment --label yes',
    )
)
def rerank(
    query: Annotated[str, typer.Argument(help="The query; - reads standard input.")],
    file: Annotated[str, typer.Option("--file", "-f", help="A file with one passage per line; - reads standard input.")],
    top: Annotated[int | None, typer.Option("--top", "-k", min=1, help="Number of passages; by default all.")] = None,
    label: Annotated[str | None, typer.Option(help="The label whose probability orders the passages.")] = None,
    task: FittingTaskOption = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Rank the lines of a file by how well they match a query.

    The scores come from a task that reads pairs of texts. Without such a task, they are similarities of the sentence embedding. Each line
    has the score, the number of the line and its text, separated by tabs.
    """
    lines = TextLines(file)
    found = load(model, backend, threads).rerank(text_or_input(query), lines, task, label=label, top_k=top)
    notice_replaced(lines.broken)
    rows = [{"line": one.index + 1, "score": one.score, "text": one.text} for one in found]
    show(rows, json, (f"{one.score:.4f}\t{one.index + 1}\t{flat(one.text)}" for one in found))
