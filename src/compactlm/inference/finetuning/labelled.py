"""Read labelled rows from a file for fine-tuning."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from compactlm.corpus.duplicates.placing import duplicate_key
from compactlm.corpus.ingest.cells import shown
from compactlm.draws import draw_generator
from compactlm.errors import CompactLMError
from compactlm.inference.finetuning.sources import for_options
from compactlm.params import Format
from compactlm.text.formats.tables import Rows, stream_rows
from compactlm.text.labels import is_missing, label_text, normal_label
from compactlm.text.unicode import encodable

FEWEST_ROWS = 16  # a label
VALIDATION = 0.25


@dataclasses.dataclass(frozen=True)
class Labelled:
    """Texts with their labels. `left_out` counts skipped rows: rows without text or label, repeats, and texts with several labels."""

    texts: list[str]
    labels: list[str]
    left_out: int

    @property
    def names(self) -> list[str]:
        """The distinct labels, sorted."""
        return sorted(set(self.labels))


def read_labelled(path: Path, text: str, label: str) -> Labelled:
    """Read two columns of a csv, tsv, jsonl or parquet file (or these with .gz) that has a header or named fields.

    Texts that differ only in case or white space count as the same text. As in the pipeline, a text with several labels is left out.

    Raises:
        CompactLMError: the file cannot be read, lacks a column, or has too few rows of a label.
    """
    named = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    form = named.suffix.removeprefix(".").lower()
    if form == "json":
        raise CompactLMError(
            f"{path} must have one JSON object per line and a name that ends in .jsonl, for example by `jq -c '.[]'` or pandas' "
            "to_json(orient='records', lines=True)"
        )
    if form not in get_args(Format) or form == "txt":
        raise CompactLMError(f"{path} has no known format; pass a file that ends in .csv, .tsv, .jsonl or .parquet (or these with .gz)")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CompactLMError(f"{path} cannot be read ({error.strerror}); pass a readable file") from None
    found: dict[str, tuple[str, set[str]]] = {}  # the first text and all labels of the texts that are one
    spellings: dict[str, str] = {}
    columns: dict[str, None] = {}
    count = 0
    rows = stream_rows(content, str(path), form, header=True, encoding="utf-8", remedy="convert the file")  # type: ignore[arg-type]
    for place, row in _reworded(rows):
        columns.update((name, None) for name in row if isinstance(name, str))
        count += 1
        cell, name = _text(row.get(text), f"{path}, {place}", text), _label(row.get(label), f"{path}, {place}", label)
        if cell.strip() and name:
            name = spellings.setdefault(normal_label(name), name)
            found.setdefault(spelling_key(cell), (cell, set()))[1].add(name)
    for column in (text, label) if count else ():
        if column not in columns:
            raise CompactLMError(f"{path} has no column {column!r}; choose from: {', '.join(columns)}")
    usable = [(known, *labels) for known, labels in found.values() if len(labels) == 1]
    labelled = Labelled([known for known, _ in usable], [name for _, name in usable], count - len(usable))
    _check(path, labelled)
    return labelled


def spelling_key(text: str) -> str:
    """Return a text without differences of case and white space."""
    return " ".join(text.casefold().split())


def _reworded(rows: Rows) -> Rows:
    try:
        yield from rows
    except CompactLMError as error:
        raise CompactLMError(for_options(str(error))) from None


def _text(value: object, place: str, column: str) -> str:
    if is_missing(value):
        return ""
    if not isinstance(value, str):
        raise CompactLMError(f"{place}: the text column {column!r} holds {shown(value)}, which is not text; correct --text")
    return encodable(value)


def _label(value: object, place: str, column: str) -> str:
    try:
        return label_text(value)
    except ValueError as error:
        raise CompactLMError(f"{place}: the column {column!r} is wrong: {error}; name a column with one label in each row") from None


def _check(path: Path, labelled: Labelled) -> None:
    counts = Counter(labelled.labels)
    if len(counts) < 2:
        raise CompactLMError(f"{path} has {len(counts)} labels; add rows of two or more labels")
    name, fewest = min(counts.items(), key=lambda item: (item[1], item[0]))
    if fewest < FEWEST_ROWS:
        raise CompactLMError(f"{path} has {fewest} different texts of the label {name!r}; each label needs {FEWEST_ROWS} or more")


def split(labels: list[str], seed: int, texts: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return training rows and held-out rows. The seed draws about the share VALIDATION of each label to hold out.

    As in the pipeline, texts with the same letters and digits are on the same side. They count for the label of the first of them.
    """
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        groups.setdefault(duplicate_key(text), []).append(row)
    held_out: list[int] = []
    for name in sorted(set(labels)):
        own = [rows for rows in groups.values() if labels[rows[0]] == name]
        draw_generator("validation", seed, name).shuffle(own)
        most = round(VALIDATION * sum(len(rows) for rows in own))
        taken: list[int] = []
        for rows in own:
            if len(taken) + len(rows) <= most or not taken:
                taken += rows
        held_out += taken
    chosen = set(held_out)
    return [row for row in range(len(labels)) if row not in chosen], sorted(held_out)
