"""Options that the commands share, the examples in their help, and loading of the model that they choose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from compactlm.inference.api import CompactLM

BackendName = Literal["auto", "torch", "onnx", "int8"]

ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        help="A directory of models, or of one model; by default models/export or models/student.",
        envvar="COMPACTLM_MODEL",
        show_envvar=True,
    ),
]
BackendOption = Annotated[BackendName, typer.Option("--backend", "-b", help="The runtime of the model; auto prefers ONNX Runtime.")]
ThreadsOption = Annotated[int, typer.Option("--threads", min=0, max=1024, help="CPU threads; 0 uses all cores.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TaskOption = Annotated[str, typer.Option("--task", "-t", help="The task: the name of its directory.")]


def load(model: Path | None, backend: BackendName, threads: int = 0) -> CompactLM:
    """Return the model that the options choose."""
    # Imported here so that --help and completion are fast.
    from compactlm.inference.api import CompactLM

    return CompactLM(model, backend=backend, threads=threads)


def epilogue(*examples: str) -> str:
    """Return the examples at the end of a command's help."""
    return "Examples:\n\n" + "\n\n".join(f"  $ {example}" for example in examples)
