"""Precision and recall of masking on 2,000 made texts of each kind of personal data and of ordinary numbers."""

import re
from collections import Counter

import pytest

from compactlm.corpus.clean.filters.personal.masking import mask_personal
from compactlm.corpus.clean.filters.personal.placeholders import PLACEHOLDERS
from tests.corpus.made_numbers import ORDINARY, PERSONAL, made

pytestmark = pytest.mark.slow

EACH = 2_000
PLACEHOLDER = re.compile("|".join(map(re.escape, PLACEHOLDERS.values())))


def masked(kind: str) -> list[tuple[str, str]]:
    """Return what became of each text of a kind, and what it should be."""
    return [(mask_personal(text, tuple(PLACEHOLDERS), "US"), expected) for text, expected in made(kind, EACH)]


@pytest.fixture(scope="module")
def results() -> dict[str, list[tuple[str, str]]]:
    return {kind: masked(kind) for kind in (*PERSONAL, *ORDINARY)}


@pytest.mark.parametrize("kind", PERSONAL)
def test_precision_and_recall_of_each_kind(results: dict[str, list[tuple[str, str]]], kind: str) -> None:
    right = sum(found == expected for found, expected in results[kind])
    of_kind = Counter(
        found == expected for texts in results.values() for found, expected in texts if PLACEHOLDERS[kind] in PLACEHOLDER.findall(found)
    )
    wrong = [pair for pair in results[kind] if pair[0] != pair[1]][:5]
    assert right / EACH >= 0.95, wrong
    assert of_kind[True] / of_kind.total() >= 0.99, of_kind


@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_numbers_stay(results: dict[str, list[tuple[str, str]]], kind: str) -> None:
    changed = [found for found, expected in results[kind] if found != expected]
    assert len(changed) <= 0.01 * EACH, changed[:5]
