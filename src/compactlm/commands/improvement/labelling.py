"""The command that labels rows: label."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compactlm.commands.options import ModelOption, TaskOption, epilogue
from compactlm.commands.terminal import notice
from compactlm.errors import CompactLMError
from compactlm.text.unicode import encodable

if TYPE_CHECKING:
    from compactlm.improvement.labelling.answers import Labelled

app = typer.Typer()


@app.command(
    epilog=epilogue(
        "compactlm label picked.jsonl",
        "compactlm label picked.jsonl --annotator bo",
        "compactlm label picked.jsonl --annotator bo --differing",
        "compactlm label project-1.json --from-export --output picked.labelled.jsonl",
    )
)
def label(
    file: Annotated[Path, typer.Argument(help="The rows of `pick`, or any .jsonl, .csv, .tsv or .parquet file; or an export.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file of answers (.jsonl); by default next to the rows.")
    ] = None,
    annotator: Annotated[str, typer.Option(help="Your name, if several people label the rows.")] = "",
    differing: Annotated[bool, typer.Option("--differing", help="Answer those rows again on which annotators differ.")] = False,
    labels: Annotated[str, typer.Option(help="The labels, separated by commas; by default those of the task's model.")] = "",
    field: Annotated[str, typer.Option("--field", help="The field or column of the text.")] = "text",
    from_export: Annotated[
        bool, typer.Option("--from-export", help="The file is an export of Label Studio or Argilla; write its answers.")
    ] = False,
    question: Annotated[str | None, typer.Option(help="The question or control of the export, if it has several.")] = None,
    task: TaskOption = "sentiment",
    model: ModelOption = None,
) -> None:
    """Label each row with one key, or read the labels from an export of Label Studio or Argilla.

    Each answer is saved at once, and the same command continues where it stopped. With answers of two annotators, it prints how much they
    agree. The model's own answers are not shown.
    """
    from compactlm.improvement.labelling.answers import resolve
    from compactlm.improvement.rows import read_fields

    if file.is_dir():
        raise CompactLMError(f"{file} is a directory; name a file of rows")
    known = [name.strip() for name in encodable(labels).split(",") if name.strip()] or _labels(task, model)
    target = output or file.with_suffix("").with_suffix(".labelled.jsonl")
    if target.suffix != ".jsonl" or target == file:
        raise CompactLMError(f"{target} cannot hold the answers; pass another path that ends in .jsonl with --output")
    if from_export:
        _import(file, field, question, known, target)
    else:
        _ask(file, field, encodable(annotator), differing, known, target)
    found = resolve(read_fields(target) if target.is_file() else (), known, str(target))
    _summarize(found, target)


def _labels(task: str, model: Path | None) -> list[str]:
    from compactlm.inference.runtime import directories

    return list(directories.find(model or directories.default_root("onnx"), task, "auto").labels)


def _import(file: Path, field: str, question: str | None, labels: list[str], target: Path) -> None:
    from compactlm.improvement.labelling.answers import resolve
    from compactlm.improvement.labelling.imports import read_export
    from compactlm.improvement.rows import with_id, write_fields

    lines = [{**line, "text": line[field]} for line in read_export(file, question) if isinstance(line.get(field), str)]
    if not lines:
        raise CompactLMError(f"{file} has no text in the field {field!r}; name the field with --field")
    resolve(lines, labels, str(file))  # refuses labels that the task does not have, before the file is written
    write_fields(target, [with_id(line, line["text"]) for line in lines])


def _ask(file: Path, field: str, annotator: str, differing: bool, labels: list[str], target: Path) -> None:
    from compactlm.improvement.labelling.answers import resolve
    from compactlm.improvement.labelling.prompt import ask
    from compactlm.improvement.labelling.session import Session
    from compactlm.improvement.rows import read_fields, read_rows

    read = read_rows(file, field)
    if read.skipped or read.repeated:
        notice(f"{read.skipped + read.repeated:,} rows of {file} are left out because they have no text of their own")
    again: list[str] = []
    if differing:
        again = resolve(read_fields(target), labels, str(target)).disagreed if target.is_file() else []
        if not again:
            typer.echo(f"{target}: there are no rows on which annotators differ")
            return
    session = Session([{**row.fields, "text": row.text} for row in read.rows], target, annotator, again)
    terminal = sys.stdin.isatty()
    ask(session, labels, typer.getchar if terminal else lambda: sys.stdin.read(1), typer.echo)
    if session.left:
        typer.echo(f"{session.left:,} rows are left; run the command again to go on")


def _summarize(found: Labelled, target: Path) -> None:
    from compactlm.improvement.labelling.agreement import agreements

    for one in agreements(found.answers):
        typer.echo(one.line())
    rows = f"{len(found.rows):,} rows with a label"
    if found.disagreed:
        rows += f", {len(found.disagreed):,} on which annotators differ (answer them again with --differing)"
    typer.echo(f"{target}: {rows}, {found.skipped:,} skipped")
