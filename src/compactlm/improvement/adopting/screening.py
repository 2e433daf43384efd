"""Decide which labelled rows may join the corpus: no test row may get into train, and no train row into the test set."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.corpus.clean.cleaning import filters_of
from compactlm.corpus.clean.filters.base import Chain, Dropped
from compactlm.corpus.clean.filters.composing import filters_from
from compactlm.corpus.duplicates.clusters import band_hashes, choose_bands, cluster
from compactlm.corpus.duplicates.placing import duplicate_key
from compactlm.corpus.duplicates.signatures import signatures
from compactlm.corpus.split.document_groups import group
from compactlm.improvement.adopting.sources import Adopted
from compactlm.params import Params

# Why a row is kept out.
LIKE_HELD_OUT = "like a row of test or validation"
LIKE_PLACED = "like a row that is in the corpus"  # for rows that should join the test set
LIKE_NEW_TEST = "like a new test row"
KNOWN = "in the corpus with the same label"
CONTRADICTORY = "in the corpus with another label"
REPEATED = "repeated in the file"
CLEANED = "dropped by cleaning"


@dataclasses.dataclass(frozen=True)
class Screened:
    """The rows that may join, and the rows that are kept out, with the reasons."""

    train: Sequence[Adopted]
    test: Sequence[Adopted]
    kept_out: Sequence[tuple[Adopted, str]]

    @property
    def counts(self) -> Counter[str]:
        """The number of rows that are kept out, by reason."""
        return Counter(reason for _, reason in self.kept_out)


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """A row of the corpus: its cleaned text, its split, and its label for the task (or None)."""

    text: str
    split: str
    label: str | None


def placed_rows(rows: Iterable[Document], split: str, task: str) -> list[Placed]:
    """Return the rows of a split. Labels of other tasks are ignored."""
    return [Placed(row.text, split, row.label if row.task == task else None) for row in rows]


def screen(train: Sequence[Adopted], test: Sequence[Adopted], placed: Sequence[Placed], params: Params) -> Screened:
    """Return which rows may join the train rows and the test rows, in their order.

    Texts are cleaned and compared in the same way as in the stages clean and split (params.clean and params.split).
    """
    chain = Chain(filters_from(filters_of(params.clean)))
    kept_out: list[tuple[Adopted, str]] = []
    cleaned: list[tuple[Adopted, str, bool]] = []
    for rows, is_test in ((test, True), (train, False)):
        for row in rows:
            text = chain(row.text)
            if isinstance(text, Dropped):
                kept_out.append((row, CLEANED))
            else:
                cleaned.append((row, text, is_test))
    numbers = _numbers([*(one.text for one in placed), *(text for _, text, _ in cleaned)], params)
    exact = {duplicate_key(one.text): one for one in placed}  # each text is in one split, by the stage clean
    splits: dict[int, set[str]] = {}
    for number, one in zip(numbers[: len(placed)].tolist(), placed, strict=True):
        splits.setdefault(number, set()).add(one.split)
    found = Screened([], [], kept_out)
    joined: dict[int, set[bool]] = {}
    seen: set[str] = set()
    for number, (row, text, is_test) in zip(numbers[len(placed) :].tolist(), cleaned, strict=True):
        key = duplicate_key(text)
        reason = _reason(row, is_test, exact.get(key), splits.get(number, set()), joined.get(number, set()), key in seen)
        if reason:
            kept_out.append((row, reason))
            continue
        seen.add(key)
        joined.setdefault(number, set()).add(is_test)
        (found.test if is_test else found.train).append(row)  # type: ignore[attr-defined]
    return found


def _reason(row: Adopted, is_test: bool, same: Placed | None, splits: set[str], joined: set[bool], repeated: bool) -> str | None:
    if same is not None and same.label is not None:
        return KNOWN if same.label == row.label else CONTRADICTORY
    if is_test and splits:
        return LIKE_PLACED
    if splits & {"test", "validation"}:
        return LIKE_HELD_OUT
    if not is_test and True in joined:
        return LIKE_NEW_TEST
    return REPEATED if repeated else None


def _numbers(texts: Sequence[str], params: Params) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Number texts so that near-duplicates have equal numbers. Without their search, only texts with the same letters and digits do."""
    keys = {key: number for number, key in enumerate(dict.fromkeys(map(duplicate_key, texts)))}
    exact = np.array([keys[duplicate_key(text)] for text in texts], dtype=np.int64)
    settings = params.split.near_duplicates
    if settings is None or not texts:
        return exact
    signed = signatures(texts, settings, params.seed)
    bands, rows = choose_bands(settings.threshold, settings.permutations)
    hashes = band_hashes(signed, bands, rows)
    return group([exact, cluster(len(texts), bands, hashes.__getitem__, signed.__getitem__, settings.threshold)])
