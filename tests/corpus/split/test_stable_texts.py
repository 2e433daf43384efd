"""A stable split after deduplication: no text moves when rows are added, even if an added row is a copy in another document."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compactlm.artifacts import SPLITS, Document
from compactlm.corpus.split.splitting import decide
from compactlm.params import Split
from tests.corpus.cleaned import cleaned
from tests.corpus.split_rows import SPLIT, to_rows
from tests.fixtures.builders import scattered_row

STABLE = Split(**{**SPLIT.model_dump(), "placement": "stable", "validation": 0.3, "test": 0.3, "train": 0.4})
HELD_OUT = Split(**{**STABLE.model_dump(), "sources": {"u": "test"}})
NEAR = {"threshold": 0.8, "permutations": 32, "unit": "words", "size": 1}
TEXTS = ["a film of the year", "an actor on a stage", "the music was long", "THE MUSIC, WAS LONG"]
DOCUMENTS = [None, *(f"d{number}" for number in range(12))]


def places(directory: Path, rows: list[Document], split: Split, near: dict[str, object] | None) -> tuple[dict[str, int], dict[str, int]]:
    """Return the split of each row that is placed, by id, and of each text."""
    left, _ = cleaned(directory, rows, split=split, near_duplicates=near)
    homes, _ = decide(to_rows(left, 1), None, split, 1)
    placed = [(row, home) for row, home in zip(left, homes.tolist(), strict=True) if home >= 0]
    return {row.id: home for row, home in placed}, {row.text.casefold(): home for row, home in placed}


CELLS = st.lists(
    st.tuples(st.sampled_from(TEXTS), st.sampled_from(DOCUMENTS), st.sampled_from(["s", "t", "u"]), st.sampled_from([None, "good", "bad"])),
    min_size=2,
    max_size=12,
)


@pytest.mark.parametrize("near", [None, NEAR], ids=["exact", "near"])
@pytest.mark.parametrize("split", [STABLE, HELD_OUT], ids=["drawn", "held_out"])
@settings(max_examples=12)
@given(cells=CELLS, known=st.integers(1, 11))
def test_no_row_moves_and_no_text_leaves_a_held_out_split(
    tmp_path_factory: pytest.TempPathFactory, near: dict[str, object] | None, split: Split, cells: list[tuple[str, ...]], known: int
) -> None:
    rows = [scattered_row(source, f"the only one of {source}", source) for source in "stu"]
    for number, (text, document, source, label) in enumerate(cells):
        columns = {} if document is None else {"document": document}
        rows.append(scattered_row(number, text, source, label, **columns))
    before, texts_before = places(tmp_path_factory.mktemp("before"), rows[: 3 + min(known, len(cells) - 1)], split, near)
    after, texts_after = places(tmp_path_factory.mktemp("after"), rows, split, near)
    assert all(after.get(name, home) == home for name, home in before.items())
    if near is None:  # of near-duplicates with several labels, one of each label stays in any split
        assert all(texts_after.get(text, home) >= home for text, home in texts_before.items())


def test_a_copy_with_a_smaller_id_and_a_label_does_not_take_a_text_from_test_to_train(tmp_path: Path) -> None:
    test, train = SPLITS.index("test"), SPLITS.index("train")
    rows = [scattered_row(number, f"text {number}", document=f"d{number}") for number in range(20)]
    homes = decide(to_rows(sorted(rows, key=lambda row: row.id), 1), None, STABLE, 1)[0].tolist()
    home = {row.document: value for row, value in zip(sorted(rows, key=lambda row: row.id), homes, strict=True)}
    of_test, of_train = (next(name for name, value in home.items() if value == wanted) for wanted in (test, train))
    first = scattered_row("placed", "the same text", document=of_test)
    copies = [scattered_row(number, "The same TEXT", label="good", document=of_train) for number in range(40)]
    copy = min(copies, key=lambda row: row.id)
    assert copy.id < first.id
    assert cleaned(tmp_path / "both", [first, copy], split=STABLE)[0] == [first]
    # Without a stable split, the labelled row wins.
    assert cleaned(tmp_path / "plain", [first, copy])[0] == [copy]
