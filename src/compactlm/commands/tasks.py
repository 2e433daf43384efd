"""Commands for tasks: classify, finetune."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
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
    notice_replaced,
    show,
    to_json,
)
from compactlm.errors import CompactLMError
from compactlm.text.lines import Line, read_lines

if TYPE_CHECKING:
    from compactlm.inference.api import CompactLM
    from compactlm.inference.classifying import Classification

app = typer.Typer()


@app.command(
    epilog=epilogue(
        'compactlm classify "A film to remember."',
        "compactlm classify --file reviews.txt > labels.tsv",
        "zcat rows.jsonl.gz | compactlm classify --field message --json -",
    )
)
def classify(
    text: Annotated[str | None, typer.Argument(help="The text; - reads standard input, one text per line.")] = None,
    file: Annotated[str | None, typer.Option("--file", "-f", help="A file with one text per line.")] = None,
    field: Annotated[str | None, typer.Option(help="Read lines as JSON objects with the text in this field.")] = None,
    line_buffered: Annotated[bool, typer.Option("--line-buffered", help="Answer each line before reading the next.")] = False,
    task: TaskOption = "sentiment",
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Classify a text, or each line of a file.

    Each line gives one line: label, probability and text, separated by tabs. A tab or a line break in the text becomes a space.
    A line that cannot be read has an empty label.
    """
    from compactlm.inference.classifying import TEXTS_AT_ONCE

    if (text is None) == (file is None):
        raise typer.BadParameter("pass either a text or --file")
    if field is not None and text not in (None, "-"):
        raise typer.BadParameter("--field needs lines; pass --file, or - for standard input")
    lm = load(model, backend, threads)
    if text is not None and text != "-":
        answer = lm.classify(text, task)
        if answer.cut:
            notice(f"the text is longer than {lm.task(task).tokenizer.limit} tokens, so it was truncated")
        if answer.unknown:
            notice(f"at least half of the text is unknown to the model's vocabulary, so {answer.label!r} means little")
        if answer.threshold is not None and answer.probability < max(answer.probabilities.values()):
            second = list(answer.probabilities)[1]
            notice(f"{second!r} is given from a probability of {answer.threshold:.1%} on, as fine-tuning found best on held-out rows")
        _print(answer, json)
        return
    _classify_lines(lm, file or "-", field, task, 1 if line_buffered else TEXTS_AT_ONCE, json)


def _classify_lines(lm: CompactLM, file: str, field: str | None, task: str, texts_at_once: int, json: bool) -> None:
    waiting: deque[Line] = deque()

    def texts() -> Iterator[str]:
        for line in read_lines(file, field):
            waiting.append(line)
            yield line.text

    cut, broken, unknown = 0, 0, 0
    first_broken: Line | None = None
    write = sys.stdout.write  # typer.echo would flush each line
    for answer in lm.classify_all(texts(), task, texts_at_once):
        line = waiting.popleft()
        cut += answer.cut
        unknown += answer.unknown and not line.error
        if line.error:
            broken, first_broken = broken + 1, first_broken or line
        write(_row(line, answer, field is not None, json))
        if texts_at_once == 1:
            sys.stdout.flush()
    sys.stdout.flush()
    if cut:
        notice(f"{cut:,} texts are longer than {lm.task(task).tokenizer.limit} tokens, so they were truncated")
    if unknown:
        notice(f"of {unknown:,} texts at least half is unknown to the model's vocabulary, so their labels mean little")
    if first_broken and field is not None:
        raise CompactLMError(
            f"{broken:,} lines could not be read and have no label (line {first_broken.number}: {first_broken.error}); "
            "fix them and classify them again"
        )
    if first_broken:
        notice_replaced(broken, f", first in line {first_broken.number}")


def _print(answer: Classification, json: bool) -> None:
    show(answer, json, [answer.label, *(f"{probability:7.1%}  {label}" for label, probability in answer.probabilities.items())])


def _row(line: Line, answer: Classification, structured: bool, json: bool) -> str:
    if structured and line.error:
        return to_json({"error": line.error}) + "\n" if json else "\t\t\n"
    # A text in JSON may contain line breaks.
    text = line.text.replace("\t", " ").replace("\r", " ").replace("\n", " ")
    return to_json(answer) + "\n" if json else f"{answer.label}\t{answer.probability:.4f}\t{text}\n"


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
