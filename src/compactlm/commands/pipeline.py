"""Commands about the pipeline: preset, summary, review."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from compactlm.errors import CompactLMError

app = typer.Typer()


@app.command()
def preset(name: Annotated[str | None, typer.Argument(help="A file of configs/preset, without .yaml.")] = None) -> None:
    """Make params.yaml that of a preset; without a name the default, unless params.yaml has values of its own."""
    # Hydra and DVC take a second to import, which no other command should pay.
    from compactlm.presets import select

    typer.echo(select(name or None))


@app.command()
def summary() -> None:
    """Show what the student of the last run keeps of its teacher."""
    from rich.console import Console

    from compactlm import artifacts
    from compactlm.params import ParamsError, read_params

    path = artifacts.METRICS / "evaluate.json"
    if not path.is_file():
        raise CompactLMError(f"{path} is missing, so nothing has been evaluated yet; run `make train`")
    # The table belongs to a library that loads torch elsewhere; this command must be quick.
    from compactlm.evaluation.summary import print_summary

    try:
        source = read_params().teacher.source
    except ParamsError as error:
        raise CompactLMError(str(error)) from None
    name = {"package": "package", "directory": "path", "hub": "model"}[source.kind]
    width = None if "COLUMNS" in os.environ or Console().is_terminal else 110
    print_summary(artifacts.read_json(path), str(getattr(source, name)), artifacts.STUDENT, Console(width=width))


@app.command()
def review(revision: Annotated[str, typer.Argument(help="A branch, a tag or a commit.")] = "main") -> None:
    """Hold reports/metrics against a git revision; exit status 0: nothing is worse, 1: something is, 2: it cannot be told."""
    from rich.console import Console

    from compactlm.evaluation.review.console import judge, metrics_diff

    width = None if "COLUMNS" in os.environ or Console().is_terminal else 150
    try:
        status = judge(metrics_diff(revision), revision, Console(width=width))
    except CompactLMError as error:
        typer.echo(f"compactlm: {error}", err=True)
        status = 2
    raise typer.Exit(status)
