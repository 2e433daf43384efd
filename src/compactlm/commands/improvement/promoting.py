"""The commands that choose the version in use: promote and rollback. They need the packages of the extra `train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compactlm.commands.options import epilogue
from compactlm.commands.terminal import console, judging
from compactlm.errors import needs

app = typer.Typer()


@app.command(
    epilog=epilogue("compactlm promote --first", "compactlm promote", "compactlm promote --dry-run --markdown > comment.md"),
)
def promote(
    first: Annotated[bool, typer.Option("--first", help="Register the first version, without a comparison.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare and write no tag.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table in Markdown.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A directory for the verdict and for the rows that were right and are wrong now.")
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Write the verdict for the report page, reports/loop/promotion.json.")] = False,
) -> None:
    """Promote the model of this commit if it is no worse on old test rows and better on new ones.

    configs/promotion.yaml has the limits. Exit status 0: promoted; 1: refused; 2: undecided, and therefore refused.
    """
    with judging():
        with needs("train", "compactlm promote"):
            from compactlm.improvement.promotion.running import run
        status = run(console(150), first=first, dry_run=dry_run, markdown=markdown, output=output, report=report)
    raise typer.Exit(status)


@app.command(epilog=epilogue("compactlm rollback", "compactlm rollback v0.1.0"))
def rollback(
    version: Annotated[str | None, typer.Argument(help="The version; by default the one before the version in use.")] = None,
) -> None:
    """Return to an older version. This writes a git tag and changes no file."""
    with needs("train", "compactlm rollback"):
        from compactlm.improvement.promotion.running import roll_back

    for sentence in roll_back(version):
        typer.echo(sentence)
