"""Commands that an encoder cannot perform. Each explains why and names a command that helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from compactlm.errors import CompactLMError

WHY = {
    "translate": "the model knows one language; `compactlm similar --file` finds the nearest line of a translated list",
    "generate": "the model fills gaps and was not trained to write; `compactlm complete` adds a few words",
    "write": "the model fills gaps and was not trained to write; `compactlm complete` adds a few words",
    "rewrite": "the model does not write sentences; `compactlm fill` proposes words for those that you replace by [MASK]",
    "paraphrase": "the model does not write sentences; `compactlm similar --file` finds lines with nearly the same meaning",
    "ask": "the model stores no facts; `compactlm answer --knowledge FILE` finds the answer in your own file",
    "calculate": "the model does not calculate; it fills, classifies and compares texts",
    "code": "the model was not trained on programs; it fills, classifies and compares texts",
}

app = typer.Typer()


def _command(name: str) -> Callable[[list[str] | None], None]:
    def command(words: Annotated[list[str] | None, typer.Argument()] = None) -> None:  # noqa: ARG001 - all arguments are accepted
        raise CompactLMError(f"an encoder cannot {name}: {WHY[name]}")

    return command


for _name in WHY:
    app.command(_name, hidden=True, context_settings={"ignore_unknown_options": True})(_command(_name))
