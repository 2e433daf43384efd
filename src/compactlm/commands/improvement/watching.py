"""The command that compares new text with the text of the training: watch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compactlm.commands.options import JsonOption, ModelOption, TaskOption, ThreadsOption, epilogue, load
from compactlm.commands.terminal import judging, notice, show
from compactlm.errors import CompactLMError

app = typer.Typer()


@app.command(
    epilog=epilogue(
        "compactlm watch new.jsonl",
        "compactlm watch reviews.csv --field review --task sentiment",
        "compactlm watch requests.jsonl --report reports/loop/watch.json",
    )
)
def watch(
    file: Annotated[Path, typer.Argument(help="New rows: .jsonl, .csv, .tsv, .parquet, one text per line, or a log of `serve`.")],
    field: Annotated[str, typer.Option("--field", help="The field or column of the text.")] = "text",
    task: TaskOption = "sentiment",
    level: Annotated[float, typer.Option(help="The share of unchanged samples in which a change may be reported.")] = 0.02,
    most: Annotated[int, typer.Option(min=30, max=10_000, help="The largest number of rows to compare; more are sampled.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the permutations.")] = 0,
    report: Annotated[Path | None, typer.Option(help="Write the figures to this JSON file; the page shows those of reports/loop.")] = None,
    model: ModelOption = None,
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Compare new rows with the reference sample of a task: their text, their words, and the model's answers.

    Exit status 0: no change was found; 1: something has changed; 2: undecided.
    """
    with judging():
        status = _watch(file, field, task, level, most, seed, report, model, threads, json)
    raise typer.Exit(status)


def _watch(
    file: Path, field: str, task: str, level: float, most: int, seed: int, report: Path | None, model: Path | None, threads: int, json: bool
) -> int:
    from compactlm.figures.figure import write_figures
    from compactlm.improvement.describing import describe
    from compactlm.improvement.drift import showing
    from compactlm.improvement.drift.captured import read_new_rows
    from compactlm.improvement.drift.watching import Settings, as_metrics, watch
    from compactlm.improvement.reference import read_reference
    from compactlm.improvement.rows import replace_file

    if not 0.001 <= level <= 0.5:
        raise CompactLMError(f"--level is {level:g}; pass a share from 0.001 to 0.5, such as 0.02")
    lm = load(model, "onnx", threads)
    reference = read_reference(lm, task)
    new = read_new_rows(file, field, task, reference.labels, most, seed)
    for number, what in ((new.skipped, "have no text"), (new.repeated, "repeat the text of an earlier row"), (new.left, "were not drawn")):
        if number:
            notice(f"{number:,} rows of {file} are left out because they {what}")
    texts = [row.text for row in new.rows] or None
    described = new.described or describe(texts or [], lm.embedding, reference.model)
    found = watch(reference, described, texts, lm.embedding.model.tokenizer, Settings(level=level, seed=seed))
    figures = {"task": task, "level": level, **write_figures(as_metrics(found))}
    if report is not None:
        from json import dumps

        replace_file(report, lambda stream: stream.write(dumps(figures, indent=2, sort_keys=True, ensure_ascii=False) + "\n"))
    show(figures, json, showing.lines(found, new.rows))
    return found.status
