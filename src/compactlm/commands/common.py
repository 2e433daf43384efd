"""What the commands share: options, the model that they choose, and how they print."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from compactlm.inference.api import CompactLM

BackendName = Literal["auto", "torch", "onnx", "int8"]

ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        help="A directory of models, or of one; by default models/export or models/student.",
        envvar="COMPACTLM_MODEL",
        show_envvar=True,
    ),
]
BackendOption = Annotated[BackendName, typer.Option("--backend", "-b", help="What runs the model; auto is ONNX Runtime where it can be.")]
ThreadsOption = Annotated[int, typer.Option("--threads", min=0, max=1024, help="Threads of the CPU; 0 for as many as there are cores.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
TaskOption = Annotated[str, typer.Option("--task", "-t", help="The task, by the name of its directory.")]


def load(model: Path | None, backend: BackendName, threads: int = 0) -> CompactLM:
    """Return the model that the options name."""
    # Here, so that --help and completion do not wait for it.
    from compactlm.inference.api import CompactLM

    return CompactLM(model, backend=backend, threads=threads)


def epilogue(*examples: str) -> str:
    """Return the examples that end a command's help."""
    return "Examples:\n\n" + "\n\n".join(f"  $ {example}" for example in examples)


def to_json(value: Any) -> str:
    """Return a value, dataclasses included, as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False)


def print_json(value: Any) -> None:
    """Print a value, dataclasses included, as one line of JSON."""
    typer.echo(to_json(value))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} is not JSON")


def notice(sentence: str) -> None:
    """Say something on standard error, beside the answer."""
    typer.echo(f"compactlm: {sentence}", err=True)


def notice_replaced(lines: int, where: str = "") -> None:
    """Say of how many lines, if any, bytes were replaced."""
    if lines:
        notice(f"{lines:,} lines{where} were read with U+FFFD in the place of bytes that are not valid UTF-8")
