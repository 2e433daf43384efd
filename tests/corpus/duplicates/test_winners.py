import random

from hypothesis import given
from hypothesis import strategies as st

from compactlm.artifacts import Document
from compactlm.corpus.duplicates.winners import judge_equals, judge_near
from tests.fixtures.builders import make_row


def drop(*rows: Document) -> list[tuple[str, str]]:
    return sorted((document.id, reason) for document, reason in judge_equals(rows))


def test_one_row_of_each_task_stays_first_a_labelled_one_then_the_smallest_id() -> None:
    assert drop(make_row("b"), make_row("a"), make_row("c")) == [("b", "duplicate"), ("c", "duplicate")]
    assert drop(make_row("a")) == []
    assert drop(make_row("a", source="u"), make_row("b", label="good")) == [("a", "duplicate")]
    news = [make_row(name, label="news", task="topic") for name in "bc"]
    assert drop(make_row("a", label="good"), *news) == [("c", "duplicate")]


def test_contradictory_labels_drop_all_rows_of_the_task_but_not_unlabelled_rows() -> None:
    labelled = [make_row(name, label=label) for name, label in (("a", "good"), ("b", "bad"), ("c", "bad"))]
    dropped = drop(*labelled, make_row("d", source="u"), make_row("e", source="u"))
    assert dropped == [*((name, "contradictory_label") for name in "abc"), ("e", "duplicate")]


ROWS = st.lists(st.tuples(st.sampled_from([None, "good", "bad"]), st.sampled_from(["sentiment", "topic"])), min_size=1, max_size=9).map(
    lambda cells: [make_row(f"{number:02d}", label=label, task=task) for number, (label, task) in enumerate(cells)]
)


@given(ROWS, st.randoms(use_true_random=False))
def test_one_row_of_each_task_stays_in_any_order(rows: list[Document], rng: random.Random) -> None:
    dropped = drop(*rows)
    names = {name for name, _ in dropped}
    assert len(names) == len(dropped)
    left = [document for document in rows if document.id not in names]
    assert len({document.task for document in left}) == len(left)
    shuffled = list(rows)
    rng.shuffle(shuffled)
    assert drop(*shuffled) == dropped
    assert drop(*left) == []


def test_one_row_of_a_cluster_and_one_of_each_label_stay() -> None:
    cluster = [make_row("c", label="good"), make_row("g", label="bad"), make_row("e", label="good"), make_row("f")]
    assert [document.id for document in judge_near(cluster)] == ["e", "f"]
    assert [document.id for document in judge_near(cluster[::-1])] == ["f", "e"]
    assert [document.id for document in judge_near([make_row("d"), make_row("b"), make_row("a")])] == ["d", "b"]
