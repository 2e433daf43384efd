"""Commands that answer from a file: answer, chat."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compactlm.commands.common import (
    BackendOption,
    JsonOption,
    ModelOption,
    ThreadsOption,
    epilogue,
    load,
    notice,
    notice_replaced,
    print_json,
)

if TYPE_CHECKING:
    from compactlm.inference.search.knowledge import Answer, Knowledge

app = typer.Typer()

UNKNOWN = "I don't know."
KnowledgeOption = Annotated[
    Path, typer.Option("--knowledge", "-K", help="Rows of question and answer, or of text (.jsonl), or a text file.")
]
IndexOption = Annotated[Path | None, typer.Option("--index", help="Where the index is kept; by default in the cache directory.")]
ThresholdOption = Annotated[
    float | None,
    typer.Option("--threshold", min=-1, max=1, help="The least score of an answer; by default 0.5 for pairs and 0.3 for passages."),
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
    """Answer a question with the best of a file's answers, or the best passage of a text, and its score.

    The file is embedded at the first time and kept. Answers are found, not written: what the file does not say has no answer.
    """
    from compactlm.text.lines import text_or_input

    known = _open(load(model, backend, threads).knowledge(knowledge, index))
    found = known.answer(text_or_input(question), threshold)
    if json:
        print_json(found)
    else:
        _print(found)


@app.command(epilog=epilogue("compactlm chat --knowledge faq.jsonl", "compactlm chat --knowledge faq.jsonl --json < questions.txt"))
def chat(
    knowledge: KnowledgeOption,
    threshold: ThresholdOption = None,
    turns: Annotated[int, typer.Option(min=0, help="Earlier questions that a question may lean on.")] = 3,
    index: IndexOption = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Answer question after question; in a terminal an empty line ends the conversation."""
    from compactlm.inference.search.chatting import Conversation

    talk = Conversation(_open(load(model, backend, threads).knowledge(knowledge, index)), threshold, turns)
    prompt = sys.stdin.isatty() and not json
    while True:
        if prompt:
            typer.echo("> ", nl=False)
        line = sys.stdin.buffer.readline()
        if not line or (prompt and not line.strip()):
            break
        found = talk.ask(line.decode("utf-8", "replace").strip())
        if json:
            print_json(found)
        else:
            _print(found)


def _open(knowledge: Knowledge) -> Knowledge:
    if knowledge.broken:
        notice(f"{knowledge.broken:,} rows of {knowledge.path} have neither question and answer nor text, and are left out")
    notice_replaced(knowledge.unreadable, f" of {knowledge.path}")
    return knowledge


def _print(found: Answer) -> None:
    typer.echo(f"{found.text if found.text is not None else UNKNOWN}  ({found.score:.2f})")
