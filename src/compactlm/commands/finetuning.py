"""The command that trains a task of your own: finetune."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compactlm.commands.common import JsonOption, ModelOption, ThreadsOption, epilogue, load, notice, show

app = typer.Typer()


@app.command(
    epilog=epilogue(
        "compactlm finetune messages.csv --text message --label spam",
        "compactlm finetune rows.jsonl --text text --label topic --teacher models/teacher/base --output models/topic",
        'compactlm classify --model models/finetuned/spam "You have won!"',
    )
)
def finetune(
    data: Annotated[Path, typer.Argument(help="Labelled rows: .csv, .tsv (with a header), .jsonl or .parquet, or these with .gz.")],
    text: Annotated[str, typer.Option("--text", help="The column of the text.")],
    label: Annotated[str, typer.Option("--label", help="The column of the label.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to save it; by default models/finetuned/LABEL.")] = None,
    teacher: Annotated[Path | None, typer.Option(help="The directory of a larger BERT, to learn from its answers too.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Maximum number of epochs.")] = 20,
    learning_rate: Annotated[float, typer.Option(min=0, help="Maximum learning rate.")] = 5e-4,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the held-out rows, of the head and of the order.")] = 0,
    model: ModelOption = None,
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Fine-tune a copy of the student for your own task, from at least 16 rows per label.

    A quarter of the rows is held out to stop training and to measure the result. With few rows, the saved model is a logistic regression
    over the student's hidden states; if training the whole student is clearly better, that model is saved.
    """
    target = output or Path("models/finetuned") / label
    lm = load(model, "torch", threads)
    found = lm.finetune(data, text, label, target, teacher, epochs=epochs, learning_rate=learning_rate, seed=seed, say=notice)
    way = f"after {found.epochs} epochs" if found.epochs else "by logistic regression over the student's hidden states"
    lines = [
        f"{found.rows:,} labelled rows of {len(found.labels)} labels used for training, {found.validation_rows:,} held out",
        f"held-out accuracy {found.accuracy:.1%} {way}; the most frequent label alone: {found.majority:.1%}",
    ]
    if found.teacher_accuracy is not None:
        lines.append(f"held-out accuracy of the teacher {found.teacher_accuracy:.1%}")
    show(found, json, [*lines, f'compactlm classify --model {target} "..."'])
