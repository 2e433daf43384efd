import random

import pytest
from sklearn.metrics import cohen_kappa_score

from compactlm.improvement.labelling.agreement import agreements, kappa


def pairs(rows, noise, seed=1):
    generator = random.Random(seed)
    first = [generator.choice("abc") for _ in range(rows)]
    return [(one, one if generator.random() > noise else generator.choice("abc")) for one in first]


def test_kappa_is_that_of_scikit_learn_and_its_interval_holds_the_truth():
    inside = 0
    for seed in range(40):
        drawn = pairs(120, 0.3, seed)
        found = kappa(drawn, seed, resamples=400)
        assert found.value == pytest.approx(cohen_kappa_score(*zip(*drawn, strict=True)))
        inside += found.low <= 0.7 <= found.high
    assert inside >= 35


def test_annotators_with_one_label_alone_have_no_kappa():
    found = kappa([("a", "a")] * 40)
    assert found.value is None
    assert not found.judged
    assert kappa([("a", "b")] * 40).value == 0


def test_each_pair_of_annotators_is_compared_on_common_rows():
    answers = {
        "ann": {"1": "a", "2": "b", "3": "a"},
        "bo": {"2": "b", "3": "b", "4": "a"},
        "cy": {"9": "a"},
    }
    [found] = agreements(answers)
    assert (found.first, found.second, found.differ, found.equal) == ("ann", "bo", ("3",), 0.5)
    assert found.line() == "ann and bo: 50.0\u00a0% of 2 rows have equal labels, Cohen's kappa 0.000; 1 differ"
