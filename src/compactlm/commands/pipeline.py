"""Commands for the pipeline: preset, expect, summary, review, doctor, verify. They need the packages of the extra `train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compactlm.commands.terminal import console, judging
from compactlm.errors import CompactLMError, needs

app = typer.Typer()


@app.command()
def preset(name: Annotated[str | None, typer.Argument(help="A file of configs/preset, without .yaml.")] = None) -> None:
    """Set params.yaml to a preset.

    Without a name, params.yaml becomes the default preset, unless it has values of its own.
    """
    with needs("train", "compactlm preset"):
        from compactlm.pipeline.lock import read_stages
        from compactlm.presets import select

    read_stages()  # `make train` calls this command first, and DVC's own message about a damaged dvc.lock does not say what to do
    typer.echo(select(name or None))


@app.command()
def expect() -> None:
    """Estimate minutes, memory and disk of the stages from the teacher on, from the rows of data/split."""
    with needs("train", "compactlm expect"):
        from compactlm import artifacts
        from compactlm.params import read_params
        from compactlm.pipeline.expecting import expect as estimate
        from compactlm.pipeline.expecting import measure_speed, read_shape

    try:
        params = read_params()
        source = params.teacher.source
        teacher = read_shape(Path(source.path if source.kind == "directory" else artifacts.TEACHER / artifacts.BASE))
        typer.echo(estimate(params, measure_speed(params.threads), teacher).sentence())
    except FileNotFoundError as error:
        raise CompactLMError(f"{error.filename} is missing; run `dvc repro split` first") from None


@app.command()
def summary() -> None:
    """Print how much of the teacher's quality the student of the last run keeps."""
    with needs("train", "compactlm summary"):
        from compactlm import artifacts
        from compactlm.evaluation.summary import print_summary
        from compactlm.params import read_params

    path = artifacts.METRICS / "evaluate.json"
    if not path.is_file():
        raise CompactLMError(f"{path} is missing because no student was evaluated yet; run `make train`")
    source = read_params().teacher.source
    name = {"package": "package", "directory": "path", "hub": "model"}[source.kind]
    print_summary(artifacts.read_json(path), str(getattr(source, name)), artifacts.STUDENT, console(110))


@app.command()
def review(
    revision: Annotated[str, typer.Argument(help="A branch, a tag or a commit.")] = "main",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a comment on a change.")] = False,
) -> None:
    """Compare reports/metrics with a git revision.

    Exit status 0: nothing is worse; 1: something is worse; 2: undecided.
    """
    with judging():
        with needs("train", "compactlm review"):
            from compactlm.evaluation.review.console import judge, metrics_diff

        status = judge(metrics_diff(revision), revision, console(150), in_markdown=markdown)
    raise typer.Exit(status)


@app.command()
def doctor() -> None:
    """Find the faults of the last run by its artifacts.

    Exit status 0: no fault; 1: a fault; 2: no fault, but not everything could be judged.
    """
    with judging():
        with needs("train", "compactlm doctor"):
            from compactlm.bert.runtime import prepare
            from compactlm.doctor.console import diagnose
            from compactlm.doctor.examined import Run
            from compactlm.params import read_params

        params = read_params()
        prepare(params.threads, params.seed)
        status = diagnose(Run(params), console(150))
    raise typer.Exit(status)


@app.command()
def verify(revision: Annotated[str, typer.Argument(help="A branch, a tag or a commit.")] = "HEAD") -> None:
    """Compare artifacts and figures with those of a git revision, stage by stage.

    Exit status 0: the same bytes, or the same within rounding; 1: different.
    """
    with needs("train", "compactlm verify"):
        from compactlm.verification.console import print_verification
        from compactlm.verification.verifying import verify as compare

    raise typer.Exit(print_verification(compare(revision), revision, console(150)))
