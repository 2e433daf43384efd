import numpy as np
import pytest

from compactlm.improvement.describing import Described
from compactlm.improvement.drift.testing import CONFIDENCE, LABELS, SPLIT_WORDS, TEXT, UNKNOWN_WORDS, Pool, adjusted, draw_labelings


def make(rows, seed, shift=0.0, broken=0.05, second=0.5):
    """Rows of random vectors, counts and answers."""
    generator = np.random.default_rng(seed)
    words = generator.integers(5, 20, rows)
    counts = np.stack([words, generator.binomial(words, 0.01), generator.binomial(words, broken)], axis=1)
    probabilities = generator.uniform(0.5, 1, rows)
    answers = (generator.uniform(size=rows) < second).astype(np.int64)
    both = np.where(np.arange(2) == answers[:, None], probabilities[:, None], 1 - probabilities[:, None])
    return Described(generator.normal(size=(rows, 8)) + shift, counts, both, answers)


def p_values(old, new, seed=0):
    pool = Pool.of(old, new, seed)
    null = pool.statistics(draw_labelings(len(pool.new), len(new), 499, np.random.default_rng(seed)))
    return {name: float(p[0]) for name, p in adjusted(pool.statistics(pool.new[None]), null).items()}


@pytest.mark.parametrize(("change", "statistic"), [({"shift": 0.7}, TEXT), ({"broken": 0.4}, SPLIT_WORDS), ({"second": 0.9}, LABELS)])
def test_a_change_is_significant_in_its_own_statistic_alone(change, statistic):
    found = p_values(make(200, 1), make(100, 2, **change))
    assert set(found) == {TEXT, UNKNOWN_WORDS, SPLIT_WORDS, LABELS, CONFIDENCE}
    assert found[statistic] <= 0.01
    assert all(p > 0.05 for name, p in found.items() if name != statistic)


def test_equal_samples_give_small_p_values_as_seldom_as_they_say():
    smallest = np.array([min(p_values(make(60, 2 * seed), make(40, 2 * seed + 1), seed).values()) for seed in range(200)])
    for level in (0.02, 0.1, 0.5):
        assert abs((smallest <= level).mean() - level) < 3 * (level * (1 - level) / 200) ** 0.5 + 1e-9


def test_statistics_of_a_labeling_are_differences_of_its_samples():
    old, new = make(50, 1), make(30, 2)
    pool = Pool.of(old, new, 4)
    found = pool.statistics(pool.new[None])
    shares = [one.counts[:, 1].sum() / one.counts[:, 0].sum() for one in (old, new)]
    assert found[UNKNOWN_WORDS][0] == pytest.approx(abs(shares[1] - shares[0]))
    assert found[LABELS][0] == pytest.approx(abs(new.answers.mean() - old.answers.mean()))
    assert found[CONFIDENCE][0] == pytest.approx(abs(new.confidence.mean() - old.confidence.mean()))


def test_what_a_sample_lacks_is_not_tested():
    old, new = make(50, 1), make(30, 2)
    without = Described(None, new.counts, new.probabilities, new.answers)
    assert TEXT not in p_values(old, without)
    assert set(p_values(old, Described(new.vectors, new.counts, None, None))) == {TEXT, UNKNOWN_WORDS, SPLIT_WORDS}


def test_a_text_that_all_rows_share_is_no_change():
    # All scores are equal but for rounding, so an order of ties that depended on the sample would look like a change.
    one = make(1, 1)
    same = [Described(*(np.repeat(value, rows, axis=0) for value in vars_of(one))) for rows in (80, 40)]
    assert min(p_values(*same).values()) > 0.05


def vars_of(described):
    return described.vectors, described.counts, described.probabilities, described.answers
