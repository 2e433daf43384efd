from collections import Counter

import numpy as np
import pytest

from compactlm.improvement.describing import Described
from compactlm.improvement.picking.picking import DIVERSITY, MARGIN, RANDOM, Shares, margins, pick, picked_fields
from compactlm.improvement.rows import Row, row_id


def candidates(count=300, seed=1, labels=3):
    """Rows with random vectors and answers."""
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(count, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    probabilities = generator.dirichlet(np.ones(labels), count).astype(np.float32)
    rows = [Row(at + 1, f"text {at}", {"text": f"text {at}", "user": at % 7}) for at in range(count)]
    return rows, Described(vectors, np.ones((count, 3), dtype=np.int64), probabilities, probabilities.argmax(axis=1))


NOTHING = np.zeros((0, 6), dtype=np.float32)


def test_margins_are_between_the_two_likeliest_labels():
    assert margins(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])) == pytest.approx([0.2, 0.0])


def test_rows_are_chosen_in_each_way():
    rows, described = candidates()
    found = pick(rows, described, NOTHING, 100, Shares(0.3, 0.2), 5)
    assert Counter(one.by for one in found) == {RANDOM: 30, MARGIN: 50, DIVERSITY: 20}
    assert len({one.at for one in found}) == 100
    # The rows with the smallest margins are there, but for those that were drawn at random.
    drawn = {one.at for one in found if one.by == RANDOM}
    order = [at for at in np.argsort(margins(described.probabilities)) if at not in drawn]
    assert {one.at for one in found if one.by == MARGIN} == set(order[:50])


def test_the_random_share_is_an_unbiased_sample():
    rows, described = candidates()
    unsure = margins(described.probabilities)
    means = [
        np.mean([unsure[one.at] for one in pick(rows, described, NOTHING, 100, Shares(), seed) if one.by == RANDOM]) for seed in range(60)
    ]
    error = unsure.std() / (30 * 60) ** 0.5
    assert abs(np.mean(means) - unsure.mean()) < 3 * error
    # It does not depend on the model's answers.
    other = Described(described.vectors, described.counts, described.probabilities[::-1], described.answers[::-1])
    first, second = ({one.at for one in pick(rows, one, NOTHING, 100, Shares(), 5) if one.by == RANDOM} for one in (described, other))
    assert first == second


def test_the_order_tells_nothing_about_how_a_row_was_chosen():
    rows, described = candidates()
    places = {way: [] for way in (RANDOM, MARGIN, DIVERSITY)}
    for seed in range(40):
        for place, one in enumerate(pick(rows, described, NOTHING, 60, Shares(), seed)):
            places[one.by].append(place)
    assert all(abs(np.mean(own) - 29.5) < 3 * 17.3 / len(own) ** 0.5 * 1.5 for own in places.values())


def test_picks_depend_on_the_seed_and_not_on_the_order_of_the_rows():
    rows, described = candidates()
    found = pick(rows, described, NOTHING, 50, Shares(), 1)
    turned = Described(*(getattr(described, name)[::-1] for name in ("vectors", "counts", "probabilities", "answers")))
    again = pick(rows[::-1], turned, NOTHING, 50, Shares(), 1)
    assert [(rows[one.at].text, one.by) for one in found] == [(rows[::-1][one.at].text, one.by) for one in again]
    assert found != pick(rows, described, NOTHING, 50, Shares(), 2)


def test_diversity_keeps_away_from_labelled_rows():
    rows, described = candidates(40)
    vectors = described.vectors
    first = pick(rows, described, vectors[:39], 1, Shares(0, 1), 1)
    assert [(one.at, one.by) for one in first] == [(39, DIVERSITY)]


def test_a_task_without_answers_has_no_margins():
    rows, described = candidates()
    found = pick(rows, Described(described.vectors, described.counts, None, None), NOTHING, 50, Shares(), 1)
    assert Counter(one.by for one in found) == {RANDOM: 15, DIVERSITY: 35}


def test_fewer_candidates_than_asked_for_are_all_picked():
    rows, described = candidates(20)
    assert sorted(one.at for one in pick(rows, described, NOTHING, 50, Shares(), 1)) == list(range(20))


def test_picked_rows_keep_their_fields():
    rows, described = candidates(20)
    fields = picked_fields(rows, described, ["a", "b", "c"], pick(rows, described, NOTHING, 5, Shares(), 1))
    for one in fields:
        assert one["id"] == row_id(one["text"])
        at = int(one["text"].split()[1])
        assert one["user"] == at % 7
        assert one["predicted"] == "abc"[described.answers[at]]
        assert one["probability"] == pytest.approx(described.probabilities[at].max(), abs=1e-4)
