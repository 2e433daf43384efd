import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.artifacts import Document
from compactlm.corpus.cleaning import Drop, filters_of
from compactlm.corpus.deduplication import check_something_left, clean_documents, clean_metrics, drop_duplicates
from compactlm.errors import CompactLMError
from compactlm.params import Clean

FILTERS = filters_of(Clean(profile="bert", minimum_characters=3, maximum_characters=100))


def row(name: str, text: str, label: str | None = None, source: str = "s", task: str = "mood") -> Document:
    return Document(id=name, source=source, text=text, document=name, task=task if label else None, label=label)


def drop(*rows: Document) -> tuple[list[str], dict[tuple[str, Drop], int]]:
    dropped: Counter[tuple[str, Drop]] = Counter()
    return [document.id for document in drop_duplicates(rows, dropped)], dict(dropped)


def test_the_smallest_id_wins_upper_and_lower_case_alike() -> None:
    assert drop(row("b", "Stra\u00dfe"), row("a", "STRASSE"), row("c", "else")) == (["a", "c"], {("s", Drop.DUPLICATE): 1})


def test_a_labelled_row_wins_over_an_unlabelled_one_from_another_source() -> None:
    assert drop(row("a", "x", source="u"), row("b", "x", "good")) == (["b"], {("u", Drop.DUPLICATE): 1})


def test_contradictory_labels_drop_all_of_the_task_but_not_unlabelled_text() -> None:
    kept, dropped = drop(row("a", "x", "good"), row("b", "x", "bad"), row("c", "x", "bad"), row("d", "x", source="u"))
    assert (kept, dropped) == (["d"], {("s", Drop.CONTRADICTORY_LABEL): 3})


def test_each_task_keeps_its_own_row() -> None:
    assert drop(row("a", "x", "good"), row("b", "x", "news", task="topic"))[0] == ["a", "b"]


ROWS = st.lists(
    st.tuples(st.sampled_from(["one", "One", "two ", "x", "three"]), st.sampled_from([None, "good", "bad"])), min_size=1, max_size=12
).map(lambda cells: [row(f"{number:02d}", text, label) for number, (text, label) in enumerate(cells)])


@given(ROWS, st.randoms(use_true_random=False))
def test_every_row_is_kept_or_counted_whatever_the_order(rows: list[Document], rng: random.Random) -> None:
    cleaned = clean_documents(rows, FILTERS)
    assert len(cleaned.documents) + cleaned.dropped.total() == len(rows)
    keys = [(document.text.casefold(), document.task) for document in cleaned.documents]
    assert len(set(keys)) == len(keys)
    shuffled = list(rows)
    rng.shuffle(shuffled)
    assert clean_documents(shuffled, FILTERS) == cleaned
    assert clean_documents(cleaned.documents, FILTERS).documents == cleaned.documents


def test_metrics_count_by_source_and_reason() -> None:
    rows = [row("a", "some text"), row("b", "Some  text"), row("c", "x", source="u"), row("d", "long enough", source="u")]
    metrics = clean_metrics(rows, clean_documents(rows, FILTERS))
    none = dict.fromkeys([reason.value for reason in Drop], 0)
    assert metrics["sources"] == {
        "s": {"rows": 2, "kept": 1, "characters": 9, "dropped": none | {"duplicate": 1}},
        "u": {"rows": 2, "kept": 1, "characters": 11, "dropped": none | {"too_short": 1}},
    }
    assert metrics["total"] == {"rows": 4, "kept": 2, "characters": 20, "dropped": none | {"duplicate": 1, "too_short": 1}}


def test_a_source_with_nothing_left_is_refused() -> None:
    rows = [row("a", "some text"), row("b", "x", source="u")]
    with pytest.raises(CompactLMError, match=r"no row of source u is left after cleaning \(dropped: 1 too_short\)"):
        check_something_left(rows, clean_documents(rows, FILTERS))
