import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.fairness.audit.labels import Rows, measure, pair_name, pairs
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Limit, Status, find_figures, write_figures
from tests.fairness.audit.labelled_rows import GENDER, THREE, make_rows

CATEGORIES = ("women_only", "men_only", "both", "neither")
LABELS = ["bad", "good"]
MANY = 2000


def audit(rows, minimum=1, samples=50, weights=None, attribute=GENDER, seed=1, limits=None):
    return measure(rows, attribute, LABELS, minimum, Resampler(samples, seed), weights, limits)


def good(found):
    return found.pairs["women_to_men"]["good"]


def test_figures_are_those_of_a_hand_calculation():
    found = audit(make_rows(women=(30, 10), men=(25, 25), both=(9, 1), neither=(0, 10)), 20)
    assert good(found)["disparate_impact"].value == pytest.approx(1.5)
    assert good(found)["statistical_parity_difference"].value == pytest.approx(0.25)
    assert found.rows == {"women_only": 40, "men_only": 50, "both": 10, "neither": 10}
    rates = {category: rate.value for category, rate in found.base_rates["good"].items()}
    assert rates == pytest.approx({"women_only": 0.75, "men_only": 0.5, "both": 0.9, "neither": 0.0})
    other = found.pairs["women_to_men"]["bad"]
    assert (other["disparate_impact"].value, other["disparate_impact"].rows) == (pytest.approx(0.5), 40)
    assert other["statistical_parity_difference"].value == pytest.approx(-0.25)


def test_weights_change_the_figures():
    found = audit(make_rows(women=(1, 1), men=(1, 1)), weights=[3.0, 1.0, 1.0, 1.0])
    assert found.base_rates["good"]["women_only"].value == 0.75
    assert good(found)["disparate_impact"].value == pytest.approx(1.5)


def test_every_pair_of_groups_with_enough_rows_is_compared():
    assert list(pairs(THREE)) == [("women", "men"), ("others", "men"), ("others", "women")]
    rows = make_rows(women=(20, 20), men=(10, 30), others=(5, 15))
    names = [pair_name(*pair) for pair in pairs(THREE)]
    assert list(audit(rows, 20, attribute=THREE).pairs) == names
    small = audit(rows, 21, attribute=THREE)
    assert {name: pair["good"]["disparate_impact"].judged for name, pair in small.pairs.items()} == {names[0]: True, names[1]: False}


def test_a_small_group_is_not_judged():
    found = good(audit(make_rows(women=(4, 0), men=(50, 50)), 5))
    assert {figure.reason for figure in found.values()} == {"4 rows; at least 5 are needed"}
    assert all(figure.judged for figure in good(audit(make_rows(women=(5, 0), men=(50, 50)), 5)).values())
    assert not any(figure.judged for figure in good(audit(make_rows(women=(9, 9), men=(1, 0)), 2)).values())


def test_a_ratio_over_zero_is_not_judged():
    found = good(audit(make_rows(women=(10, 10), men=(0, 20)), 5))
    assert (found["disparate_impact"].value, found["disparate_impact"].status) == (None, Status.NOT_JUDGED)
    assert found["statistical_parity_difference"].value == 0.5


def test_limits_apply_to_their_label_and_to_pairs_with_the_privileged_group():
    rows = make_rows(women=(20, 20), men=(10, 30), others=(5, 15))
    found = audit(rows, 20, attribute=THREE, limits={"good": {"disparate_impact": Limit(0.8, 1.25)}}).pairs
    limited = {path for path, figure in find_figures(found) if figure.limit}
    assert limited == {(pair, "good", "disparate_impact") for pair in ("women_to_men", "others_to_men")}


def test_figures_without_rows_are_not_judged():
    found = audit(Rows([], [], []))
    assert found.rows == dict.fromkeys(CATEGORIES, 0)
    assert found.base_rates == {"bad": {}, "good": {}}
    assert {figure.status for _, figure in find_figures(found.pairs)} == {Status.NOT_JUDGED}


@given(st.lists(st.tuples(st.sampled_from(CATEGORIES), st.sampled_from(LABELS)), max_size=30), st.integers(1, 4))
def test_metrics_are_always_finite_numbers(pairs, minimum):
    rows = Rows([category for category, _ in pairs], [label for _, label in pairs], [str(at) for at in range(len(pairs))])
    found = audit(rows, minimum)
    json.dumps(write_figures(found.metrics()), allow_nan=False)
    assert all(figure.value is not None for _, figure in find_figures(found.pairs) if figure.judged)
    assert sum(found.rows.values()) == len(pairs)


def test_intervals_agree_with_the_normal_approximation():
    rows = make_rows(women=(120, 80), men=(150, 150))
    found = good(audit(rows, samples=MANY))["statistical_parity_difference"]
    error = 1.96 * np.sqrt(0.6 * 0.4 / 200 + 0.5 * 0.5 / 300)
    assert found.low == pytest.approx(0.1 - error, abs=0.015)
    assert found.high == pytest.approx(0.1 + error, abs=0.015)
    rate = audit(rows, samples=MANY).base_rates["good"]["women_only"]
    assert (rate.low, rate.high) == (pytest.approx(0.6 - 0.068, abs=0.01), pytest.approx(0.6 + 0.068, abs=0.01))


def test_copies_of_a_document_do_not_narrow_the_interval():
    once = make_rows(women=(30, 20), men=(40, 60))
    twice = Rows([*once.categories] * 2, [*once.labels] * 2, [*once.documents] * 2)
    bounds = [[(figure.low, figure.high) for figure in good(audit(rows, samples=MANY)).values()] for rows in (once, twice)]
    assert bounds[0] == bounds[1]
    strangers = Rows(twice.categories, twice.labels, [str(at) for at in range(300)])
    wide, narrow = (good(audit(rows, samples=MANY))["disparate_impact"] for rows in (twice, strangers))
    assert wide.high - wide.low > 1.25 * (narrow.high - narrow.low)


def test_intervals_depend_only_on_the_seed():
    rows = make_rows(women=(30, 20), men=(40, 60))
    backwards = Rows(rows.categories[::-1], rows.labels[::-1], rows.documents[::-1])
    assert audit(rows).metrics() == audit(backwards).metrics()
    assert audit(rows).metrics() != audit(rows, seed=2).metrics()


@pytest.mark.slow
def test_the_import_of_aif360_prints_nothing():
    code = (
        "import logging, compactlm.fairness.audit.aif; assert logging.getLogger().handlers == []; "
        "assert logging.getLogger().filters == []; logging.warning('heard')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr == "WARNING:root:heard\n"
    assert result.stdout == ""
