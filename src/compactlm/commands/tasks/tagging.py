"""The command that tags words: tag."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from compactlm.commands.options import BackendOption, JsonOption, ModelOption, ThreadsOption, epilogue, load
from compactlm.commands.tasks.options import BufferedOption, FieldOption, FileOption, FittingTaskOption, TextArgument
from compactlm.commands.tasks.streams import answer_lines, flat, notice_single, source_of
from compactlm.commands.terminal import show

if TYPE_CHECKING:
    from compactlm.inference.tasks.tagging import Tagging

app = typer.Typer()

COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")


@app.command(
    epilog=epilogue(
        'compactlm tag "Kim Lee lives in New York."',
        "compactlm tag --file lines.txt > tagged.txt",
        "compactlm tag --words --json --file sentences.txt",
    )
)
def tag(
    text: TextArgument = None,
    file: FileOption = None,
    field: FieldOption = None,
    words: Annotated[bool, typer.Option("--words", help="Split words only at spaces, so punctuation belongs to words.")] = False,
    line_buffered: BufferedOption = False,
    task: FittingTaskOption = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Tag the words of a text, or of each line of a file.

    Entities are written as [New York](place), coloured in a terminal unless NO_COLOR is set. Tags that do not mark entities follow each
    word, as in runs/VERB. JSON has words and entities with their positions in the text, in characters.
    """
    from compactlm.inference.tasks.tagging import KINDS, TEXTS_AT_ONCE

    source = source_of(text, file, field, None, None)
    lm = load(model, backend, threads)
    limit = lm.task_for(KINDS, task).tokenizer.limit
    colours = _Colours(sys.stdout.isatty() and not json and not os.environ.get("NO_COLOR"))
    if source is None:
        answer = lm.tag(str(text).split() if words else str(text), task)
        notice_single(answer, limit, "the tags mean little")
        show(answer, json, [colours.marked(answer)])
        return
    answer_lines(
        source,
        lambda texts: lm.tag_all((str(one).split() if words else one for one in texts), task, 1 if line_buffered else TEXTS_AT_ONCE),
        lambda _, found: flat(colours.marked(found)),
        json=json,
        flush=line_buffered,
        columns=0,
    )


class _Colours:
    """Writes tagged texts. With colours, each label has its own colour."""

    def __init__(self, coloured: bool) -> None:
        self.coloured = coloured
        self._known: dict[str, str] = {}

    def marked(self, found: Tagging) -> str:
        """Return a text with its entities, or with the tag of each word."""
        if found.entities is None:
            return " ".join(f"{word.text}{self._paint(f'/{word.tag}', word.tag)}" for word in found.words)
        parts, after = [], 0
        for entity in found.entities:
            parts += [found.text[after : entity.start], self._paint(f"[{entity.text}]({entity.label})", entity.label)]
            after = entity.end
        return "".join([*parts, found.text[after:]])

    def _paint(self, text: str, label: str) -> str:
        if not self.coloured:
            return text
        colour = self._known.setdefault(label, COLOURS[len(self._known) % len(COLOURS)])
        return typer.style(text, fg=colour)
