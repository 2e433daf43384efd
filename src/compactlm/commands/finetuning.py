"""The command that trains the student on a task of your own: finetune."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compactlm.commands.options import JsonOption, ModelOption, ThreadsOption, epilogue, load
from compactlm.commands.terminal import notice, show
from compactlm.errors import CompactLMError

if TYPE_CHECKING:
    from compactlm.inference.api import CompactLM
    from compactlm.inference.finetuning.any_kind import FineTunedTask

app = typer.Typer()

FINETUNED = Path("models/finetuned")
TARGETS = ("label", "labels", "score", "tags", "answer")  # the columns that say what a model learns


@app.command(
    epilog=epilogue(
        "compactlm finetune messages.csv --text message --label spam",
        "compactlm finetune rows.jsonl --text text --label topic --teacher models/teacher/base --output models/topic",
        "compactlm finetune pairs.csv --text question --pair passage --label answers",
        'compactlm finetune posts.csv --text post --labels topics --separator ","',
        "compactlm finetune reviews.csv --text review --score stars",
        "compactlm finetune names.conll",
        "compactlm finetune rows.jsonl --text passage --question question --answer answer",
        'compactlm classify --model models/finetuned/spam "You have won!"',
    )
)
def finetune(
    data: Annotated[
        Path,
        typer.Argument(help="Labelled rows: .csv, .tsv (with a header), .jsonl, .parquet, .conll or SQuAD's .json, or these with .gz."),
    ],
    text: Annotated[str | None, typer.Option("--text", help="The column of the text, or of the passage.")] = None,
    pair: Annotated[
        str | None, typer.Option("--pair", "--question", help="The column of the second text, or of the question about the passage.")
    ] = None,
    label: Annotated[str | None, typer.Option("--label", help="The column of the label.")] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option("--labels", help="The column with all labels of a row; or, if repeated, one column of 0 and 1 for each label."),
    ] = None,
    separator: Annotated[str | None, typer.Option("--separator", help="The separator of labels in a cell that is not a list.")] = None,
    score: Annotated[str | None, typer.Option("--score", help="The column of a number.")] = None,
    words: Annotated[str | None, typer.Option("--words", help="The column of the words to tag.")] = None,
    tags: Annotated[str | None, typer.Option("--tags", help="The column of the tags of the words.")] = None,
    answer: Annotated[
        str | None,
        typer.Option("--answer", help="The column of the answer, a part of the passage; empty means no answer."),
    ] = None,
    answer_start: Annotated[str | None, typer.Option("--answer-start", help="The column of the answer's position in characters.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to save it; by default models/finetuned/ and the name of the column.")
    ] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="The directory of a larger BERT as an additional teacher; only for labels of single texts.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Maximum number of epochs.")] = 20,
    learning_rate: Annotated[float, typer.Option(min=0, help="Maximum learning rate.")] = 5e-4,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the held-out rows, the head and the order of the rows.")] = 0,
    model: ModelOption = None,
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Fine-tune a copy of the student for your own task, from at least 16 rows (per label).

    The option for the target column determines the kind of task: --label, --labels, --score, --tags or --answer. A quarter of the rows is
    held out to stop training and to measure the result. With --label and few rows, the saved model is a logistic regression on the
    student's hidden states, unless training the whole student is clearly better.
    """
    lm = load(model, "torch", threads)
    how: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate, "seed": seed, "say": notice}
    columns = {"text": text, "pair": pair, "label": label, "labels": _labels(labels, separator), "score": score}
    columns |= {"words": words, "tags": tags, "answer": answer, "answer_start": answer_start}
    named = {name for name, column in columns.items() if column is not None}
    if text is not None and label is not None and named == {"text", "label"}:
        _finetune_labels(lm, data, text, label, output, teacher, json, how)
        return
    if teacher is not None:
        raise CompactLMError("a teacher can help with the labels of single texts (--text and --label) alone; leave out --teacher")
    target = output or FINETUNED / next((_name(columns[name]) for name in TARGETS if name in named), data.name.split(".")[0])
    found = lm.finetune_task(data, columns, target, **how)
    show(found, json, _lines(found, target))


def _labels(columns: list[str] | None, separator: str | None) -> dict[str, Any] | None:
    if not columns:
        return None
    return {"columns": {name: name for name in columns}} if len(columns) > 1 else {"column": columns[0], "separator": separator}


def _name(column: Any) -> str:
    return column if isinstance(column, str) else str(column.get("column", "labels"))


def _lines(found: FineTunedTask, target: Path) -> list[str]:
    from compactlm.figures.metric_names import metric_name, shown
    from compactlm.inference.tasks.methods import METHODS

    write = shown(found.metric)
    value = "has no value" if found.value is None else f"{write(found.value)}"
    interval = "" if found.low is None else f" ({write(found.low)} to {write(found.high)})"
    more = {"extract": '--question "..." --context FILE'}.get(METHODS[found.kind], '"..."')
    return [
        f"{found.rows:,} labelled rows used for training, {found.validation_rows:,} held out",
        f"held-out {metric_name(found.metric)} {value}{interval} after {found.epochs} epochs; "
        f"the best answer that is always the same: {write(found.chance)}",
        f"compactlm {METHODS[found.kind]} --model {target} {more}",
    ]


def _finetune_labels(
    lm: CompactLM, data: Path, text: str, label: str, output: Path | None, teacher: Path | None, json: bool, how: dict[str, Any]
) -> None:
    target = output or FINETUNED / label
    found = lm.finetune(data, text, label, target, teacher, **how)
    way = f"after {found.epochs} epochs" if found.epochs else "by logistic regression over the student's hidden states"
    lines = [
        f"{found.rows:,} labelled rows of {len(found.labels)} labels used for training, {found.validation_rows:,} held out",
        f"held-out accuracy {found.accuracy:.1%} {way}; the most frequent label alone: {found.majority:.1%}",
    ]
    if found.teacher_accuracy is not None:
        lines.append(f"held-out accuracy of the teacher {found.teacher_accuracy:.1%}")
    show(found, json, [*lines, f'compactlm classify --model {target} "..."'])
