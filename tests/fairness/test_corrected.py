import numpy as np
import pytest
from scipy.stats import norm

from compactlm.fairness.corrected import correct, tail
from compactlm.fairness.gate import Gate
from compactlm.figures.figure import Figure, Limit, Status

LIMIT = Limit(-0.1, 0.1)


def figure(value: float, error: float, limit: Limit | None = LIMIT) -> Figure:
    half = norm.ppf(0.975) * error
    return Figure.measured(value, value - half, value + half, limit=limit)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_tail_is_that_of_a_normal_distribution(sign: int) -> None:
    assert tail(figure(sign * 0.16, 0.02), 0.95) == pytest.approx(norm.sf(3.0))
    assert tail(Figure.measured(0.5, 0.5, 0.5, limit=LIMIT), 0.95) == 0


def test_one_violation_needs_no_correction_and_a_weak_one_among_many_is_undecided() -> None:
    weak = figure(0.15, 0.024)
    assert weak.status is Status.VIOLATED
    assert correct({"a": weak}, 0.95) == {"a": weak}
    many = {"a": weak, "clear": figure(0.5, 0.02), "sure": {f"n{at}": figure(0.0, 0.01) for at in range(20)}}
    found = correct(many, 0.95)
    assert found["a"].status is Status.UNDECIDED
    assert (found["a"].value, found["a"].low) == (weak.value, weak.low)
    assert found["clear"].status is Status.VIOLATED
    assert found["sure"] == many["sure"]
    [sentence] = [line for line in Gate.of("model", found).lines() if line.startswith("a:")]
    assert "undecided (limit: -0.1 to 0.1; exceeded, but among so many checks this may be chance)" in sentence


def test_figures_without_a_limit_or_too_few_rows_are_no_checks() -> None:
    weak = figure(0.15, 0.024)
    others = {f"n{at}": figure(0.0, 0.01, None) for at in range(20)}
    few = {f"f{at}": Figure.measured(0.5, 0.4, 0.6, rows=3, rows_needed=30, limit=LIMIT) for at in range(20)}
    assert correct({"a": weak, **others, **few}, 0.95)["a"].status is Status.VIOLATED


def test_fair_models_on_the_limit_are_rarely_violated_in_any_of_many_checks() -> None:
    generator = np.random.default_rng(0)
    plain = corrected = 0
    for _ in range(400):
        found = {f"n{at}": figure(0.1 + 0.02 * generator.standard_normal(), 0.02) for at in range(30)}
        plain += any(one.status is Status.VIOLATED for one in found.values())
        corrected += any(one.status is Status.VIOLATED for one in correct(found, 0.95).values())
    assert plain > 150
    assert corrected <= 20  # 2.5 % are expected
