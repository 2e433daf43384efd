"""Commands for texts and pairs of texts: classify, score, rerank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from compactlm.commands.common import (
    BackendOption,
    FittingTaskOption,
    JsonOption,
    ModelOption,
    TextLines,
    ThreadsOption,
    epilogue,
    load,
    notice_replaced,
    show,
)
from compactlm.commands.streams import answer_lines, flat, notice_single, source_of
from compactlm.text.lines import text_or_input

if TYPE_CHECKING:
    from compactlm.inference.tasks.classifying import Classification, LabelSet

app = typer.Typer()

TextArgument = Annotated[str | None, typer.Argument(help="The text; - reads standard input, one text per line.")]
PairOption = Annotated[str | None, typer.Option("--pair", "-p", help="The second text, for a task that reads pairs.")]
FileOption = Annotated[str | None, typer.Option("--file", "-f", help="A file with one text per line.")]
FieldOption = Annotated[str | None, typer.Option(help="Read lines as JSON objects with the text in this field.")]
PairFieldOption = Annotated[
    str | None, typer.Option(help="Read lines as JSON objects with the second text in this field; the first is in --field, or in text.")
]
BufferedOption = Annotated[bool, typer.Option("--line-buffered", help="Answer each line before reading the next.")]


@app.command(
    epilog=epilogue(
        'compactlm classify "A film to remember."',
        'compactlm classify "is it red" --pair "The sky is blue."',
        "compactlm classify --file reviews.txt > labels.tsv",
        "zcat rows.jsonl.gz | compactlm classify --field message --json -",
    )
)
def classify(
    text: TextArgument = None,
    pair: PairOption = None,
    file: FileOption = None,
    field: FieldOption = None,
    pair_field: PairFieldOption = None,
    line_buffered: BufferedOption = False,
    task: FittingTaskOption = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Classify a text or a pair of texts, or each line of a file.

    Each line gives one line: label, probability and text, separated by tabs. A tab or a line break in the text becomes a space.
    A line that cannot be read has an empty label. A task with any number of labels gives all labels with a probability of at least one
    half, separated by commas.
    """
    from compactlm.inference.tasks.classifying import KINDS, TEXTS_AT_ONCE

    source = source_of(text, file, field, pair_field, pair)
    lm = load(model, backend, threads)
    limit = lm.task_for(KINDS, task).tokenizer.limit
    if source is None:
        answer = lm.classify(str(text), task, pair=pair)
        shown = _labels(answer) or "none"
        notice_single(answer, limit, f"{shown!r} means little")
        show(answer, json, [shown, *(f"{value:7.1%}  {label}" for label, value in answer.probabilities.items())])
        return
    size = 1 if line_buffered else TEXTS_AT_ONCE
    answer_lines(source, lambda texts: lm.classify_all(texts, task, size), _row, json=json, flush=line_buffered, limit=limit)


def _labels(answer: Classification | LabelSet) -> str:
    labels = getattr(answer, "labels", None)
    return str(answer.label) if labels is None else ", ".join(labels)  # type: ignore[union-attr]


def _row(text: str, answer: Classification | LabelSet) -> str:
    labels = getattr(answer, "labels", None)
    values = [answer.probability] if labels is None else [answer.probabilities[label] for label in labels]  # type: ignore[union-attr]
    return f"{_labels(answer)}\t{', '.join(f'{value:.4f}' for value in values)}\t{text}"


@app.command(
    epilog=epilogue(
        'compactlm score "A film to remember."',
        'compactlm score "a red car" --pair "a scarlet vehicle" --task similarity',
        "compactlm score --file reviews.txt > scores.tsv",
    )
)
def score(
    text: TextArgument = None,
    pair: PairOption = None,
    file: FileOption = None,
    field: FieldOption = None,
    pair_field: PairFieldOption = None,
    line_buffered: BufferedOption = False,
    task: FittingTaskOption = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Give a number to a text or a pair of texts, or to each line of a file.

    Each line gives one line: score and text, separated by a tab.
    """
    from compactlm.inference.tasks.scoring import KINDS, TEXTS_AT_ONCE

    source = source_of(text, file, field, pair_field, pair)
    lm = load(model, backend, threads)
    limit = lm.task_for(KINDS, task).tokenizer.limit
    if source is None:
        answer = lm.score(str(text), task, pair=pair)
        notice_single(answer, limit, "the score means little")
        show(answer, json, [f"{answer.score:.4g}"])
        return
    size = 1 if line_buffered else TEXTS_AT_ONCE
    answer_lines(
        source,
        lambda texts: lm.score_all(texts, task, size),
        lambda line, found: f"{found.score:.6g}\t{line}",
        json=json,
        flush=line_buffered,
        columns=1,
        limit=limit,
    )


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
    """Order the lines of a file by how well they fit a query.

    A task that reads pairs of texts gives the scores. Without such a task, they are similarities of the sentence embedding. Each line
    has the score, the number of the line and its text, separated by tabs.
    """
    lines = TextLines(file)
    found = load(model, backend, threads).rerank(text_or_input(query), lines, task, label=label, top_k=top)
    notice_replaced(lines.broken)
    rows = [{"line": one.index + 1, "score": one.score, "text": one.text} for one in found]
    show(rows, json, (f"{one.score:.4f}\t{one.index + 1}\t{flat(one.text)}" for one in found))
