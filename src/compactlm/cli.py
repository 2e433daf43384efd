"""`compactlm ...`: what people type, thin."""

from __future__ import annotations

import typer

from compactlm.commands import answering, beyond, comparing, pipeline, reading, sorting, writing
from compactlm.errors import CompactLMError

app = typer.Typer(no_args_is_help=True, help="A compact BERT from text and a BERT teacher.")
for commands in (reading, writing, sorting, comparing, answering, pipeline, beyond):
    app.add_typer(commands.app)


def main() -> None:
    """Run the command line.

    The exit status is 0, or 1 after a failure that a user can mend (one sentence), 2 where the command is mistyped, 130 after Ctrl-C.
    """
    try:
        app()
    except CompactLMError as error:
        typer.echo(f"compactlm: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
