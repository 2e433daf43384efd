import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.distillation.rows import draw, task_rows
from compactlm.errors import CompactLMError


def row(name, task=None, label=None):
    return {"id": name, "source": "s", "task": task, "label": label, "input_ids": [len(name)]}


@given(names=st.sets(st.text("abc", min_size=1, max_size=5), min_size=1), count=st.integers(0, 20), data=st.data())
def test_a_draw_depends_on_ids_alone(names, count, data):
    rows = [row(name) for name in sorted(names)]
    drawn = draw(rows, count, 1)
    assert len(drawn) == min(count, len(rows))
    assert drawn == draw(data.draw(st.permutations(rows)), count, 1)
    assert draw(rows, count + 1, 1)[: len(drawn)] == drawn


def test_another_seed_draws_others():
    rows = [row(str(at)) for at in range(100)]
    assert draw(rows, 10, 1) != draw(rows, 10, 2)


def test_labelled_rows_come_with_the_weights_of_their_documents():
    labelled = [row("a.0", "t", "yes"), row("b.c.0", "t", "no"), row("x.0", "other", "maybe"), row("u.0")]
    found = task_rows("t", ["no", "yes"], labelled, [row("v.3")], {"a": 0.5, "b.c": 2.0})
    assert found.ids == ["a.0", "b.c.0", "v.3"]
    assert found.labels == [1, 0, -100]
    assert found.weights == [0.5, 2.0, 1.0]
    assert found.sequences == [[3], [5], [3]]


def test_a_row_without_a_weight_is_refused():
    labelled = [row("a.0", "t", "yes"), row("b.0", "t", "no"), row("c.0", "t", "no")]
    with pytest.raises(CompactLMError, match=r"2 rows of task t have no example weight in data/weighted \(first: b\); run `dvc repro`"):
        task_rows("t", ["no", "yes"], labelled, [], {"a": 1.0})


def test_without_weights_every_row_counts_alike():
    found = task_rows("t", ["no", "yes"], [row("a.0", "t", "yes"), row("x.0", "other", "maybe")], [row("v.3")], None)
    assert found.ids == ["a.0", "v.3"]
    assert found.weights == [1.0, 1.0]
