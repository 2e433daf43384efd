"""The parts of rows that are compared to find duplicates, and the targets that may contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from compactlm.artifacts import NO_ANSWER

SEPARATOR = "\x1f"  # between the texts of a pair, and between several labels
CONTRADICTING = ("labels", "tags", "answer_start")  # columns of targets that contradict if they differ; near scores do not


def whole_texts(table: pa.Table) -> list[str]:
    """Return the text of each row, with the second text of a pair."""
    return [text if pair is None else f"{text}{SEPARATOR}{pair}" for text, pair in both_texts(table)]


def passages(table: pa.Table) -> list[str]:
    """Return the text of each row; of a pair, the longer text, which is the passage rather than its question."""
    return [longer(text, pair) for text, pair in both_texts(table)]


def longer(text: str, pair: str | None) -> str:
    """Return the longer text of a pair. Of equally long texts, return the first in alphabetical order."""
    return text if pair is None else max(text, pair, key=lambda one: (len(one), [-ord(character) for character in one]))


def shorter(text: str, pair: str) -> str:
    """Return the text of a pair that `longer` does not return."""
    return pair if longer(text, pair) is text else text


def both_texts(table: pa.Table) -> Iterable[tuple[str, str | None]]:
    """Return the text and the second text of each row; the second is None without a pair."""
    texts: Sequence[str] = table["text"].to_pylist()
    pairs: Sequence[str | None] = table["pair"].to_pylist() if "pair" in table.column_names else [None] * len(texts)
    return zip(texts, pairs, strict=True)


def target_columns(names: Iterable[str]) -> list[str]:
    """Return the columns that `target_of` reads, except `label`."""
    return [name for name in CONTRADICTING if name in set(names)]


def target_of(row: Mapping[str, Any]) -> str | None:
    """Return a row's target as one string, so that contradicting rows have different strings; None for a row without a target."""
    if row.get("labels") is not None:
        return SEPARATOR.join(sorted(row["labels"]))
    if row.get("tags") is not None:
        return " ".join(row["tags"])
    if row.get("answer_start") is not None:
        return "no answer" if row["answer_start"] == NO_ANSWER else "answer"
    label: str | None = row.get("label")
    return label
