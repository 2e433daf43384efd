"""The command that chooses rows to label: pick."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from compactlm.commands.options import ModelOption, TaskOption, ThreadsOption, epilogue, load
from compactlm.commands.terminal import notice
from compactlm.errors import CompactLMError

app = typer.Typer()


@app.command(
    epilog=epilogue(
        "compactlm pick new.jsonl -n 200",
        "compactlm pick reviews.csv --field review -n 100 --output picked.csv",
        "compactlm pick new.jsonl -n 200 --labelled rows.jsonl --random 0.5",
    )
)
def pick(
    file: Annotated[Path, typer.Argument(help="Rows without labels: .jsonl, .csv, .tsv, .parquet, or one text per line.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="The number of rows to pick.")] = 200,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write them, as .jsonl or .csv.")] = Path("picked.jsonl"),
    field: Annotated[str, typer.Option("--field", help="The field or column of the text.")] = "text",
    random: Annotated[float, typer.Option(min=0, max=1, help="The share that is drawn at random, for an unbiased test set.")] = 0.3,
    diversity: Annotated[float, typer.Option(min=0, max=1, help="The share that is chosen to differ from all other rows.")] = 0.2,
    labelled: Annotated[Path | None, typer.Option(help="A file of labelled rows, which are not picked again.")] = None,
    task: TaskOption = "sentiment",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the draws.")] = 0,
    model: ModelOption = None,
    threads: ThreadsOption = 0,
) -> None:
    """Choose the rows that are worth labelling.

    A share is drawn at random from all rows and can serve as a test set. The other rows are for training: those with the smallest margin
    between the two likeliest labels, and those that differ most from labelled rows and from each other. The field picked_by says how a row
    was chosen.
    """
    import numpy as np

    from compactlm.improvement.describing import describe
    from compactlm.improvement.picking.picking import Shares, picked_fields
    from compactlm.improvement.picking.picking import pick as pick_rows
    from compactlm.improvement.reference import read_reference
    from compactlm.improvement.rows import read_rows, write_fields

    if random + diversity > 1:
        raise CompactLMError(f"--random {random:g} and --diversity {diversity:g} are more than 1 together; lower one of them")
    lm = load(model, "onnx", threads)
    reference = read_reference(lm, task)
    read = read_rows(file, field)
    known = read_rows(labelled, field) if labelled else None
    seen = {_key(text) for text in known.texts} if known else set()
    rows = [row for row in read.rows if _key(row.text) not in seen]
    if not rows:
        raise CompactLMError(f"all rows of {file} are in {labelled}; pass a file with other rows")
    for number, what in (
        (read.skipped, "have no text"),
        (read.repeated, "repeat the text of an earlier row"),
        (len(read.rows) - len(rows), f"are in {labelled}"),
    ):
        if number:
            notice(f"{number:,} rows of {file} are left out because they {what}")
    described = describe([row.text for row in rows], lm.embedding, reference.model)
    covered = [vectors for vectors in (reference.described.vectors, lm.embed(known.texts) if known else None) if vectors is not None]
    picked = pick_rows(rows, described, np.concatenate(covered), count, Shares(random, diversity), seed)
    write_fields(output, picked_fields(rows, described, reference.labels, picked))
    counts = Counter(one.by for one in picked)
    named = ", ".join(f"{number} by {name}" if name != "random" else f"{number} at random" for name, number in sorted(counts.items()))
    typer.echo(f"{output}: {len(picked):,} of {len(rows):,} rows ({named}); label them with `compactlm label {output}`")


def _key(text: str) -> str:
    return " ".join(text.casefold().split())
