"""The command that gives labels: classify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from compactlm.commands.tasks.options import TextOptions, text_command
from compactlm.commands.tasks.streams import answer_lines, notice_single
from compactlm.commands.terminal import show

if TYPE_CHECKING:
    from compactlm.inference.tasks.classifying import Classification, LabelSet

app = typer.Typer()


@text_command(
    app,
    'compactlm classify "A film to remember."',
    'compactlm classify "is it red" --pair "The sky is blue."',
    "compactlm classify --file reviews.txt > labels.tsv",
    "zcat rows.jsonl.gz | compactlm classify --field message --json -",
)
def classify(options: TextOptions) -> None:
    """Classify a text or a pair of texts, or each line of a file.

    For each line it prints one line: label, probability and text, separated by tabs. A tab or a line break in the text becomes a space. A
    line that cannot be read has an empty label. For a task with any number of labels, it prints all labels with a probability of at least
    one half, separated by commas.
    """
    from compactlm.inference.tasks.classifying import KINDS, TEXTS_AT_ONCE

    source, lm, task = options.source(), options.load(), options.task
    limit = lm.task_for(KINDS, task).tokenizer.limit
    if source is None:
        answer = lm.classify(str(options.text), task, pair=options.pair)
        shown = _labels(answer) or "none"
        notice_single(answer, limit, f"{shown!r} means little")
        show(answer, options.json, [shown, *(f"{value:7.1%}  {label}" for label, value in answer.probabilities.items())])
        return
    size = 1 if options.line_buffered else TEXTS_AT_ONCE
    answer_lines(
        source, lambda texts: lm.classify_all(texts, task, size), _row, json=options.json, flush=options.line_buffered, limit=limit
    )


def _labels(answer: Classification | LabelSet) -> str:
    labels = getattr(answer, "labels", None)
    return str(answer.label) if labels is None else ", ".join(labels)  # type: ignore[union-attr]


def _row(text: str, answer: Classification | LabelSet) -> str:
    labels = getattr(answer, "labels", None)
    values = [answer.probability] if labels is None else [answer.probabilities[label] for label in labels]  # type: ignore[union-attr]
    return f"{_labels(answer)}\t{', '.join(f'{value:.4f}' for value in values)}\t{text}"
