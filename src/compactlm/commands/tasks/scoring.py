"""The command that gives numbers: score."""

from __future__ import annotations

import typer

from compactlm.commands.tasks.options import TextOptions, text_command
from compactlm.commands.tasks.streams import answer_lines, notice_single
from compactlm.commands.terminal import show

app = typer.Typer()


@text_command(
    app,
    'compactlm score "A film to remember."',
    'compactlm score "a red car" --pair "a scarlet vehicle" --task similarity',
    "compactlm score --file reviews.txt > scores.tsv",
)
def score(options: TextOptions) -> None:
    """Give a number to a text or a pair of texts, or to each line of a file.

    For each line it prints one line: score and text, separated by a tab.
    """
    from compactlm.inference.tasks.scoring import KINDS, TEXTS_AT_ONCE

    source, lm, task = options.source(), options.load(), options.task
    limit = lm.task_for(KINDS, task).tokenizer.limit
    if source is None:
        answer = lm.score(str(options.text), task, pair=options.pair)
        notice_single(answer, limit, "the score means little")
        show(answer, options.json, [f"{answer.score:.4g}"])
        return
    size = 1 if options.line_buffered else TEXTS_AT_ONCE
    answer_lines(
        source,
        lambda texts: lm.score_all(texts, task, size),
        lambda line, found: f"{found.score:.6g}\t{line}",
        json=options.json,
        flush=options.line_buffered,
        columns=1,
        limit=limit,
    )
