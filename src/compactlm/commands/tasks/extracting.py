"""The command that finds answers in passages: extract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from compactlm.commands.options import BackendOption, JsonOption, ModelOption, ThreadsOption, epilogue, load
from compactlm.commands.tasks.options import BufferedOption, FittingTaskOption
from compactlm.commands.tasks.streams import Source, Texts, answer_lines, flat, notice_single
from compactlm.commands.terminal import show
from compactlm.errors import CompactLMError
from compactlm.text.formats.lines import STANDARD_INPUT, read_exact

if TYPE_CHECKING:
    from compactlm.inference.tasks.extracting import Extraction

app = typer.Typer()

NO_ANSWER = "no answer"


@app.command(
    epilog=epilogue(
        'compactlm extract --question "how many legs has a spider" --context article.txt',
        "compactlm extract --file questions.txt --context article.txt > answers.tsv",
        "compactlm extract --file rows.jsonl --field question --context-field passage --json",
    )
)
def extract(
    question: Annotated[str | None, typer.Option("--question", "-q", help="The question.")] = None,
    context: Annotated[str | None, typer.Option("--context", "-c", help="The file with the passage; - reads standard input.")] = None,
    file: Annotated[str | None, typer.Option("--file", "-f", help="A file with one question per line.")] = None,
    field: Annotated[str | None, typer.Option(help="Read lines as JSON objects with the question in this field.")] = None,
    context_field: Annotated[str | None, typer.Option(help="Read lines as JSON objects with the passage in this field.")] = None,
    line_buffered: BufferedOption = False,
    task: FittingTaskOption = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Find the answer to a question in a passage, or say that it has none.

    Answers are parts of the passage. A long passage is read in overlapping windows. For each question of a file it prints one line: answer,
    probability, start, end, and question, separated by tabs. Without an answer, the cells of answer, start and end are empty.
    """
    from compactlm.inference.tasks.extracting import KINDS, QUESTIONS_AT_ONCE

    if (question is None) == (file is None):
        raise typer.BadParameter("pass either --question or --file")
    if (context is None) == (context_field is None):
        raise typer.BadParameter("pass either --context or --context-field")
    if file is None and (field is not None or context_field is not None):
        raise typer.BadParameter("--field and --context-field need lines; pass --file")
    if file == context == STANDARD_INPUT:
        raise typer.BadParameter("--file and --context are both -, but there is one standard input; name a file for one of them")
    if question is not None and not question.strip():
        raise CompactLMError("the question is empty; write it after --question")
    lm = load(model, backend, threads)
    limit = lm.task_for(KINDS, task).tokenizer.limit
    passage = None if context is None else _passage(context)
    if file is None:
        answer = lm.extract(str(question), str(passage), task)
        notice_single(answer, limit, "the answer means little")
        show(answer, json, [_sentence(answer)])
        return
    source = Source(file, field if context_field is None else field or "question", context_field, passage)
    answer_lines(
        source,
        lambda pairs: lm.extract_all(_pairs(pairs), task, 1 if line_buffered else QUESTIONS_AT_ONCE),
        _row,
        json=json,
        flush=line_buffered,
        columns=4,
    )


def _passage(path: str) -> str:
    passage = read_exact(path)
    if not passage.strip():
        raise CompactLMError(f"{path} has no text; name the file of the passage with --context")
    return passage


def _pairs(texts: Iterator[Texts]) -> Iterator[tuple[str, str]]:
    for one in texts:
        yield ("", "") if isinstance(one, str) else one


def _sentence(answer: Extraction) -> str:
    if answer.answer is None:
        return f"{NO_ANSWER}  ({answer.score:.2f})"
    return f"{flat(answer.answer)}  ({answer.score:.2f}, characters {answer.start:,} to {answer.end:,})"


def _row(text: str, answer: Extraction) -> str:
    cells = ("", "") if answer.answer is None else (answer.start, answer.end)
    return "\t".join([flat(answer.answer or ""), f"{answer.score:.4f}", *map(str, cells), text])
