"""Read labelled rows from a file for fine-tuning."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import get_args

from compactlm.draws import draw_generator
from compactlm.errors import CompactLMError
from compactlm.params import Format
from compactlm.text.tables import stream_rows
from compactlm.text.unicode import encodable

FEWEST_ROWS = 16  # a label
VALIDATION = 0.25


@dataclasses.dataclass(frozen=True)
class Labelled:
    """Texts with their labels. `left_out` counts the skipped rows: without text or label, or with a repeated text."""

    texts: list[str]
    labels: list[str]
    left_out: int

    @property
    def names(self) -> list[str]:
        """The different labels, sorted."""
        return sorted(set(self.labels))


def read_labelled(path: Path, text: str, label: str) -> Labelled:
    """Read two columns of a csv, tsv, jsonl or parquet file (or these with .gz) that has a header or named fields.

    Raises:
        CompactLMError: the file cannot be read, lacks a column, or has too few rows of a label.
    """
    named = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    form = named.suffix.removeprefix(".").lower()
    if form not in get_args(Format) or form == "txt":
        raise CompactLMError(f"{path} has no known format; pass a file that ends in .csv, .tsv, .jsonl or .parquet (or these with .gz)")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CompactLMError(f"{path} cannot be read ({error.strerror}); pass a readable file") from None
    found: dict[str, str] = {}
    count = 0
    for _, row in stream_rows(content, str(path), form, header=True, encoding="utf-8", remedy="convert the file"):  # type: ignore[arg-type]
        if not count and (text not in row or label not in row):
            names = ", ".join(str(name) for name in row if isinstance(name, str))
            raise CompactLMError(f"{path} has no column {text if text not in row else label!r}; choose from: {names}")
        count += 1
        cell, name = row.get(text), row.get(label)
        if isinstance(cell, str) and cell.strip() and name is not None and str(name).strip():
            found.setdefault(encodable(cell), str(name).strip())
    labelled = Labelled(list(found), list(found.values()), count - len(found))
    _check(path, labelled)
    return labelled


def _check(path: Path, labelled: Labelled) -> None:
    counts = Counter(labelled.labels)
    if len(counts) < 2:
        raise CompactLMError(f"{path} has {len(counts)} labels; add rows of two or more labels")
    name, fewest = min(counts.items(), key=lambda item: (item[1], item[0]))
    if fewest < FEWEST_ROWS:
        raise CompactLMError(f"{path} has {fewest} different texts of the label {name!r}; each label needs {FEWEST_ROWS} or more")


def split(labels: list[str], seed: int) -> tuple[list[int], list[int]]:
    """Return training rows and held-out rows; the seed draws the share VALIDATION of each label for the latter."""
    held_out: list[int] = []
    for name in sorted(set(labels)):
        rows = [row for row, label in enumerate(labels) if label == name]
        draw_generator("validation", seed, name).shuffle(rows)
        held_out += rows[: round(VALIDATION * len(rows))]
    chosen = set(held_out)
    return [row for row in range(len(labels)) if row not in chosen], sorted(held_out)
