"""Options that the commands for tasks share."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compactlm.commands.options import BackendName, BackendOption, JsonOption, ModelOption, ThreadsOption, epilogue, load
from compactlm.commands.tasks.streams import Source, source_of

if TYPE_CHECKING:
    from compactlm.inference.api import CompactLM

TextArgument = Annotated[str | None, typer.Argument(help="The text; - reads standard input, one text per line.")]
PairOption = Annotated[str | None, typer.Option("--pair", "-p", help="The second text, for a task that reads pairs.")]
FileOption = Annotated[str | None, typer.Option("--file", "-f", help="A file with one text per line.")]
FieldOption = Annotated[str | None, typer.Option(help="Read lines as JSON objects with the text in this field.")]
PairFieldOption = Annotated[
    str | None, typer.Option(help="Read lines as JSON objects with the second text in this field; the first is in --field, or in text.")
]
BufferedOption = Annotated[bool, typer.Option("--line-buffered", help="Answer each line before reading the next.")]
FittingTaskOption = Annotated[
    str | None,
    typer.Option("--task", "-t", help="The task: the name of its directory; by default the only one that fits, or sentiment."),
]


@dataclasses.dataclass(frozen=True)
class TextOptions:
    """The options of a command that answers a text, a pair of texts, or each line of a file."""

    text: str | None = None
    pair: str | None = None
    file: str | None = None
    field: str | None = None
    pair_field: str | None = None
    line_buffered: bool = False
    task: str | None = None
    model: Path | None = None
    backend: BackendName = "auto"
    threads: int = 0
    json: bool = False

    def source(self) -> Source | None:
        """Return the lines to answer, or None for a single text; see source_of."""
        return source_of(self.text, self.file, self.field, self.pair_field, self.pair)

    def load(self) -> CompactLM:
        """Return the model."""
        return load(self.model, self.backend, self.threads)


def text_command(app: typer.Typer, *examples: str) -> Callable[[Callable[[TextOptions], None]], Callable[[TextOptions], None]]:
    """Register the decorated function as a command with the options of TextOptions. Its docstring is the help."""

    def register(function: Callable[[TextOptions], None]) -> Callable[[TextOptions], None]:
        @app.command(function.__name__, help=inspect.getdoc(function), epilog=epilogue(*examples))
        def command(
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
            function(TextOptions(text, pair, file, field, pair_field, line_buffered, task, model, backend, threads, json))

        return function

    return register
