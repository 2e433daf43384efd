"""The command that adds labelled rows to the next training, or removes a row from it: adopt. It needs the packages of the extra `train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compactlm.commands.options import TaskOption, epilogue
from compactlm.errors import CompactLMError, needs

app = typer.Typer()


@app.command(
    epilog=epilogue(
        "compactlm adopt picked.labelled.jsonl",
        "compactlm adopt exam.csv --field review --label stars --held-out",
        "compactlm adopt --remove 3f2a...",
    )
)
def adopt(
    file: Annotated[Path | None, typer.Argument(help="Labelled rows, as `label` writes them; or .csv, .tsv or .parquet.")] = None,
    remove: Annotated[str | None, typer.Option("--remove", help="Remove the row with this id, and all rows with its text.")] = None,
    task: TaskOption = "sentiment",
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Add all rows to the test set; by default only those that were drawn at random.")
    ] = False,
    field: Annotated[str, typer.Option("--field", help="The field or column of the text.")] = "text",
    label: Annotated[str, typer.Option("--label", help="The field or column of the label.")] = "label",
    weight: Annotated[
        float | None, typer.Option(min=0.1, max=100, help="How often train contains each adopted row (split.weights).")
    ] = None,
) -> None:
    """Add labelled rows to the sources of the next training, or remove a row from it.

    The rows become sources in configs/, and params.yaml is composed again. Existing rows keep their split. Near-duplicates of test rows are
    kept out of train and counted, and labels that a classifier doubts are listed.
    """
    if (file is None) == (remove is None):
        raise CompactLMError("pass either a labelled file, or --remove ID")
    with needs("train", "compactlm adopt"):
        from compactlm.improvement.adopting import adopting, removing
        from compactlm.improvement.adopting.sources import restoring
        from compactlm.improvement.promotion.settings import read_settings
        from compactlm.improvement.registry import read_registry
        from compactlm.params import PARAMS_FILE, read_params
        from compactlm.presets import recompose, require_composed
    params = read_params()
    require_composed(params.preset)
    registry = read_registry()
    with restoring(PARAMS_FILE):
        if file is not None:
            adopting.check_places(params, registry.champion(read_settings().stage))
            lines = adopting.describe(adopting.adopt(params, file, task, held_out=held_out, text=field, label=label, weight=weight), task)
        else:
            lines = removing.describe(removing.remove(params, str(remove), registry))
        recompose(params.preset)
    for line in lines:
        typer.echo(line)
