import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.fairness.audit import Rows, measure
from compactlm.params import Attribute

GENDER = Attribute(groups={"women": ["she"], "men": ["he"]}, privileged="men", unprivileged="women")
CATEGORIES = ("women_only", "men_only", "both", "neither")


def make_rows(women=(0, 0), men=(0, 0), both=(0, 0), neither=(0, 0)):
    """Rows by (favourable, unfavourable) count."""
    categories, favorable = [], []
    for name, (good, bad) in zip(CATEGORIES, (women, men, both, neither), strict=True):
        categories += [name] * (good + bad)
        favorable += [True] * good + [False] * bad
    return Rows(categories, favorable)


def test_figures_are_those_of_a_hand_calculation():
    found = measure(make_rows(women=(30, 10), men=(25, 25), both=(9, 1), neither=(0, 10)), GENDER, 20)
    assert found.disparate_impact == pytest.approx(1.5)
    assert found.statistical_parity_difference == pytest.approx(0.25)
    assert found.rows == {"women_only": 40, "men_only": 50, "both": 10, "neither": 10}
    assert found.base_rates == pytest.approx({"women_only": 0.75, "men_only": 0.5, "both": 0.9, "neither": 0.0})
    assert found.metrics()["judged"] == 1


def test_weights_count():
    rows = make_rows(women=(1, 1), men=(1, 1))
    found = measure(rows, GENDER, 1, [3.0, 1.0, 1.0, 1.0])
    assert found.base_rates["women_only"] == 0.75
    assert found.disparate_impact == pytest.approx(1.5)


def test_a_small_group_is_not_judged_and_gets_no_number():
    found = measure(make_rows(women=(4, 0), men=(50, 50)), GENDER, 5)
    assert found.why_not == "only 4 rows mention women and no other group; at least 5 are needed"
    metrics = found.metrics()
    assert metrics["judged"] == 0
    assert "disparate_impact" not in metrics
    assert "statistical_parity_difference" not in metrics
    assert metrics["rows"]["women_only"] == 4
    assert measure(make_rows(women=(5, 0), men=(50, 50)), GENDER, 5).why_not is None


def test_the_privileged_group_may_be_the_small_one():
    assert measure(make_rows(women=(9, 9), men=(1, 0)), GENDER, 2).why_not == (
        "only 1 row mentions men and no other group; at least 2 are needed"
    )


def test_a_ratio_over_nothing_is_not_judged():
    found = measure(make_rows(women=(10, 10), men=(0, 20)), GENDER, 5)
    metrics = found.metrics()
    assert metrics["judged"] == 0
    assert "disparate_impact" not in metrics
    assert metrics["statistical_parity_difference"] == 0.5
    assert "no row that mentions men only" in found.why_not


def test_no_rows_at_all():
    metrics = measure(Rows([], []), GENDER, 1).metrics()
    assert metrics == {"judged": 0, "rows": dict.fromkeys(CATEGORIES, 0), "base_rate": {}}


@given(st.lists(st.tuples(st.sampled_from(CATEGORIES), st.booleans()), max_size=30), st.integers(1, 4))
def test_metrics_are_always_numbers_that_json_knows(pairs, minimum):
    rows = Rows([category for category, _ in pairs], [favorable for _, favorable in pairs])
    metrics = measure(rows, GENDER, minimum).metrics()
    json.dumps(metrics, allow_nan=False)
    assert (metrics["judged"] == 1) == ("disparate_impact" in metrics)
    assert sum(metrics["rows"].values()) == len(pairs)


def test_aif360_is_imported_without_a_word():
    code = (
        "import logging, compactlm.fairness.aif; assert logging.getLogger().handlers == []; "
        "assert logging.getLogger().filters == []; logging.warning('heard')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr == "WARNING:root:heard\n"
    assert result.stdout == ""
