"""Commands that answer questions from a file: answer, chat."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compactlm.commands.options import BackendName, BackendOption, JsonOption, ModelOption, ThreadsOption, epilogue, load
from compactlm.commands.terminal import notice, notice_replaced, show
from compactlm.text.formats.lines import text_or_input

if TYPE_CHECKING:
    from compactlm.inference.search.knowledge import Answer, Knowledge

app = typer.Typer()

UNKNOWN = "I don't know."
KnowledgeOption = Annotated[
    Path, typer.Option("--knowledge", "-K", help="Rows with question and answer, or with text (.jsonl), or a text file.")
]
IndexOption = Annotated[Path | None, typer.Option("--index", help="The directory of the index; by default in the cache directory.")]
ThresholdOption = Annotated[
    float | None,
    typer.Option("--threshold", min=-1, max=1, help="Minimum score of an answer; by default that of the model."),
]


@app.command(
    epilog=epilogue(
        'compactlm answer --knowledge faq.jsonl "what colour is the sky?"',
        'compactlm answer --knowledge handbook.txt --json "how many days of leave?"',
    )
)
def answer(
    question: Annotated[str, typer.Argument(help="The question; - reads standard input.")],
    knowledge: KnowledgeOption,
    threshold: ThresholdOption = None,
    index: IndexOption = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Answer a question with the best answer or passage of a file.

    The file is embedded at first use and its index is kept. Answers are found, not written.
    """
    known = _open(knowledge, index, model, backend, threads)
    _print(known.answer(text_or_input(question), threshold), json)


@app.command(epilog=epilogue("compactlm chat --knowledge faq.jsonl", "compactlm chat --knowledge faq.jsonl --json < questions.txt"))
def chat(
    knowledge: KnowledgeOption,
    threshold: ThresholdOption = None,
    turns: Annotated[int, typer.Option(min=0, help="Number of earlier questions that a question may refer to.")] = 3,
    index: IndexOption = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Answer one question per line; in a terminal, an empty line ends the conversation."""
    from compactlm.inference.search.conversation import Conversation

    talk = Conversation(_open(knowledge, index, model, backend, threads), threshold, turns)
    prompt = sys.stdin.isatty() and not json
    while True:
        if prompt:
            typer.echo("> ", nl=False)
        line = sys.stdin.buffer.readline()
        if not line or (prompt and not line.strip()):
            break
        _print(talk.ask(line.decode("utf-8", "replace").strip()), json)


def _open(file: Path, index: Path | None, model: Path | None, backend: BackendName, threads: int) -> Knowledge:
    knowledge = load(model, backend, threads).knowledge(file, index)
    if knowledge.broken:
        notice(f"{knowledge.broken:,} rows of {file} are skipped because they have neither question and answer nor text")
    notice_replaced(knowledge.unreadable, f" of {file}")
    return knowledge


def _print(found: Answer, json: bool) -> None:
    show(found, json, [f"{found.text if found.text is not None else UNKNOWN}  ({found.score:.2f})"])
    if found.text is None and not json and found.wrong_answers is not None:
        notice(
            f"an answer needs a score of {found.threshold:.2f}, at which {100 * found.wrong_answers:.0f} % of validation questions got a "
            "wrong answer"
        )
