from pathlib import Path

import numpy as np
import pytest

from compactlm.artifacts import Document
from compactlm.corpus.split.split_diversity import add_near_duplicates, measure_splits, plot_rows
from compactlm.params import DiversityFigures
from compactlm.shards.gathering import write_shards
from compactlm.text.diversity import measure_diversity
from tests.corpus.split_rows import to_rows
from tests.fixtures.builders import scattered_row

SETTINGS = DiversityFigures(words=500, window=50, bleu_texts=20, bleu_words=20)


def document(number: int) -> Document:
    text = " ".join(f"word{number * place % 17}" for place in range(number % 5 + 1))
    return scattered_row(number, text, "st"[number % 2], "good" if number % 3 == 0 else None)


@pytest.mark.parametrize("shard_bytes", [100, 100_000])
def test_figures_of_each_split_and_source_are_those_of_its_rows(tmp_path: Path, shard_bytes: int) -> None:
    splits = {"train": range(60), "validation": range(60, 80), "test": range(80, 95)}
    shards = {}
    for split, numbers in splits.items():
        write_shards([document(number) for number in numbers], tmp_path / split, shard_bytes)
        shards[split] = sorted((tmp_path / split).iterdir())
    figures = measure_splits(shards, SETTINGS, 1)
    for split, numbers in splits.items():
        rows = [document(number) for number in numbers]
        assert list(figures[split]) == ["all", "s", "t"]
        assert figures[split]["all"] == measure_diversity(rows, SETTINGS, 1)
        assert figures[split]["t"] == measure_diversity([row for row in rows if row.source == "t"], SETTINGS, 1)
    tables = plot_rows(figures)
    assert tables["words"]["train"] == [(1, 12), (2, 12), (4, 24), (8, 12)]
    assert tables["vocabulary"]["test"][-1][1] == len({word for number in splits["test"] for word in document(number).text.split()})


def test_near_duplicates_are_counted_within_split_and_source() -> None:
    rows = sorted((document(number) for number in range(6)), key=lambda row: row.id)
    sources = np.array([row.source for row in rows])
    figures = {"train": {"all": {}, "s": {}, "t": {}}, "validation": {"all": {}}, "test": {"all": {}}}
    clusters = np.where(sources == "s", 0, np.arange(6))  # the three rows of s are alike
    add_near_duplicates(figures, to_rows(rows), np.zeros(6, dtype=np.int8), clusters)
    assert figures["train"] == {
        "all": {"near_duplicate_rate": round(2 / 6, 6)},
        "s": {"near_duplicate_rate": round(2 / 3, 6)},
        "t": {"near_duplicate_rate": 0.0},
    }
    assert figures["test"] == {"all": {}}
