import io

import pytest
from compactlm.evaluation.review.printing import exit_status, judge, verdict
from rich.console import Console

from compactlm.evaluation.review.changes import BETTER, LOST, NEW, NO_LONGER, TOLD, UNJUDGED, WITHIN, WORSE, direction, review

FILE = "reports/metrics/evaluate.json"
KEY = "tasks.sentiment.quality.student.accuracy"


def figure(key, old, new, half=0.02):
    """Return dvc's diff of a figure with an interval of this half width, or None where a side lacks it."""

    def sides(add):
        return {"old": None if old is None else old + add, "new": None if new is None else new + add}

    return {f"{key}.value": sides(0), f"{key}.low": sides(-half), f"{key}.high": sides(half)}


def plain(key, old, new):
    return {key: {"old": old, "new": new}}


def verdicts(*parts):
    diff = {FILE: {key: sides for part in parts for key, sides in part.items()}}
    return {change.key: change.verdict for change in review(diff).changes}


@pytest.mark.parametrize(
    ("key", "old", "new", "expected"),
    [
        (KEY, 0.80, 0.82, WITHIN),  # the intervals of the two add up to 0.028
        (KEY, 0.80, 0.83, BETTER),
        (KEY, 0.83, 0.80, WORSE),
        ("tasks.sentiment.quality.student.log_loss", 0.83, 0.80, BETTER),
        ("tasks.sentiment.quality.student.calibration_error", 0.03, 0.10, WORSE),
        ("mlm.quality.student.pseudo_perplexity", 100.0, 90.0, BETTER),
        ("tasks.sentiment.robustness.all.student.kept", 0.95, 0.90, WORSE),
        ("tasks.sentiment.worst_slice.student", 0.70, 0.60, WORSE),
        ("fairness.sentiment.gender.student.statistical_parity_difference", -0.10, 0.11, WITHIN),  # as far from 0
        ("fairness.sentiment.gender.equal_opportunity_difference.student", -0.20, -0.05, BETTER),
        ("fairness.sentiment.gender.student.disparate_impact", 0.7, 1.1, BETTER),
        ("fairness.sentiment.gender.student.disparate_impact", 1.1, 0.7, WORSE),
        ("fairness.stereotypes.gender.preference.student", 0.45, 0.60, WORSE),
        ("fairness.stereotypes.gender.preference.amplification", -0.15, 0.05, TOLD),
        ("something.new", 0.1, 0.9, TOLD),
    ],
)
def test_a_figure_is_judged_by_what_is_better_and_by_its_interval(key, old, new, expected):
    assert verdicts(figure(key, old, new)) == {key: expected}


@pytest.mark.parametrize(
    ("key", "old", "new", "expected"),
    [
        ("size.student_parameters", 2_271_297, 2_271_297, WITHIN),
        ("size.student_parameters", 2_271_297, 2_500_000, WORSE),
        ("size.student_bytes", 9_100_000, 9_100_100, WITHIN),
        ("size.ratio", 0.1, 0.05, BETTER),
        ("fairness.gate.violations", 0, 1, WORSE),
        ("fairness.gate.violations", 2, 0, BETTER),
        ("fairness.gate.not_judged", 2, 3, WORSE),
        ("fairness.gate.passed", 1, 0, WORSE),
        ("sentiment.gate.passed", 0, 1, BETTER),
        ("fairness.gate.checks", 12, 14, TOLD),
        ("fairness.gate.figures.tasks.sentiment.gender.women_to_men.disparate_impact.student.violated", 0, 1, WORSE),
        ("tasks.sentiment.rows", 1589, 1400, TOLD),
        ("tasks.sentiment.rows", 1589, 4000, TOLD),
        ("tasks.sentiment.rows", 1589, 700, WORSE),
        ("mlm.rows", 1500, 100, WORSE),
        ("tasks.sentiment.robustness.rows", 300, 200, TOLD),
        ("tasks.sentiment.robustness.rows", 300, 30, WORSE),  # enough to be judged, and an interval that hides a brittle student
        ("fairness.tasks.sentiment.gender.counterfactual.rows", 224, 40, WORSE),
        ("mlm.quality.words", 556, 100, WORSE),
        ("fairness.stereotypes.gender.pairs", 200, 40, WORSE),
        ("mlm.sources.quac.words", 80, 10, TOLD),
        ("tasks.sentiment.slices.length.short.rows", 255, 40, TOLD),
        ("tasks.sentiment.student", 0.8, 0.5, TOLD),  # the same number as quality.student.accuracy, which has an interval
    ],
)
def test_figures_without_an_interval_decide_where_no_chance_is_in_them(key, old, new, expected):
    assert verdicts(plain(key, old, new)) == {key: expected}


def test_bounds_may_stand_beside_the_figure():
    key = "fairness.tasks.sentiment.gender.women_to_men.disparate_impact.student"
    mark = "fairness.tasks.sentiment.gender.women_to_men.disparate_impact.judged"
    sides = {key: {"old": 0.7, "new": 0.9}, f"{key}_low": {"old": 0.65, "new": 0.85}, f"{key}_high": {"old": 0.75, "new": 0.95}}
    [change] = review({FILE: sides | plain(mark, 1, 1)}).changes
    assert (change.key, change.verdict, change.decides) == (key, BETTER, True)
    assert change.margin == pytest.approx(0.0906, abs=1e-4)  # of logarithms: 0.251 apart, half widths 0.0716 and 0.0556
    [change] = review({FILE: sides | plain(mark, 1, 0)}).changes
    assert change.verdict == NO_LONGER
    assert verdicts(plain("size.clearance_high", 1, 2)) == {"size.clearance_high": TOLD}


def test_what_decides_and_what_is_told():
    keys = {
        KEY: True,
        "tasks.sentiment.quality.retention": True,
        "tasks.sentiment.quality.teacher.accuracy": False,
        "tasks.sentiment.quality.difference.accuracy": False,
        "tasks.sentiment.slices.length.short.student": False,
        "tasks.sentiment.robustness.perturbations.case.light.student.kept": False,
        "mlm.sources.tweets.student.top1": False,
        "fairness.tasks.sentiment.gender.accuracy.women_only.student": True,
        "tasks.sentiment.forgetting.student.kept": True,
        "fairness.tasks.sentiment.gender.women_to_men.disparate_impact.amplification": False,
        "fairness.tasks.sentiment.gender.women_to_men.equal_opportunity_difference.student": True,
        "tasks.sentiment.worst_slice.student": True,
    }
    diff = {FILE: {key: sides for one in keys for key, sides in figure(one, 0.9, 0.1).items()}}
    found = review(diff)
    assert {change.key: change.decides for change in found.changes} == keys
    assert (found.count(WORSE), found.count(BETTER)) == (5, 1)  # less of a difference between groups is better


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [(1.30, 0.72, WORSE), (0.72, 1.30, BETTER), (2.0, 0.5, WITHIN), (0.0, 0.5, BETTER), (0.5, 0.0, WORSE), (0.0, 0.0, WITHIN)],
)
def test_a_ratio_is_as_far_from_parity_as_its_inverse(old, new, expected):
    key = "fairness.sentiment.gender.student.disparate_impact"
    figures = {f"{key}.{bound}": {"old": old * by, "new": new * by} for bound, by in (("value", 1), ("low", 0.99), ("high", 1.01))}
    (change,) = review({"evaluate.json": figures}).changes
    assert change.verdict == expected


def test_a_student_that_is_fairer_than_its_teacher_is_better():
    key = "fairness.tasks.sentiment.gender.women_to_men.disparate_impact"
    found = review({FILE: {**figure(f"{key}.student", 0.4, 1.0), **figure(f"{key}.amplification", 0.0, 0.6)}})
    assert (found.count(BETTER), found.count(WORSE)) == (1, 0)
    assert exit_status(found) == 0


def test_the_teacher_alone_makes_nothing_worse():
    found = review({FILE: {**figure(KEY, 0.8, 0.8), **figure("tasks.sentiment.quality.teacher.accuracy", 0.9, 0.6)}})
    assert exit_status(found) == 0


def test_a_figure_that_was_not_judged_is_compared_with_nothing():
    mark = "tasks.sentiment.quality.judged"
    for marks in ((0, 1), (0, 0)):
        assert verdicts(figure(KEY, 0.9, 0.1), plain(mark, *marks)) == {KEY: UNJUDGED}
    assert verdicts(figure(KEY, 0.9, 0.1), plain(mark, 1, 1)) == {KEY: WORSE}
    assert verdicts(figure(KEY, 0.9, 0.1), plain("mlm.quality.judged", 0, 0)) == {KEY: WORSE}
    assert verdicts(figure(KEY, 0.9, None), plain(mark, 0, 0)) == {KEY: UNJUDGED}


GAP = "fairness.stereotypes.gender.log_odds_gap.student"
VIOLATED = "fairness.gate.figures.stereotypes.gender.log_odds_gap.student"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # Too few rows now, with a better figure than before.
        ([figure(KEY, 0.8, 0.95), plain("tasks.sentiment.quality.judged", 1, 0)], {KEY: NO_LONGER}),
        ([figure(KEY, 0.8, 0.95), plain("tasks.sentiment.judged", 1, 0)], {KEY: NO_LONGER}),
        ([figure(KEY, 0.8, 0.95), plain("tasks.sentiment.judged", None, 0)], {KEY: NO_LONGER}),  # an old revision without marks
        # Neither the figure nor what the gate said of it is there, for the group is too small.
        ([figure(GAP, 0.1, None), plain("fairness.stereotypes.gender.judged", 1, 0)], {GAP: NO_LONGER}),
        ([plain(f"{VIOLATED}.violated", 1, None), plain(f"{VIOLATED}.judged", 1, 0)], {f"{VIOLATED}.violated": NO_LONGER}),
        # The interval has gone, so that nothing can be said of the difference.
        (
            [{f"{KEY}.value": {"old": 0.8, "new": 0.8}, **{f"{KEY}.{end}": {"old": 0.8, "new": None} for end in ("low", "high")}}],
            {KEY: NO_LONGER},
        ),
        ([figure(KEY, 0.8, None)], {KEY: LOST}),
    ],
)
def test_what_was_judged_and_is_not_any_more_is_worse(parts, expected):
    same = "mlm.quality.student.top1"
    assert verdicts(*parts, figure(same, 0.1, 0.1)) == expected | {same: WITHIN}
    for others in ([figure(same, 0.1, 0.1)], []):
        found = review({FILE: {key: sides for part in [*parts, *others] for key, sides in part.items()}})
        assert exit_status(found) == 1
        assert verdict(found, "main").startswith("Verdict: worse than main (0 better, 0 worse, 1 ")


def test_what_is_judged_for_the_first_time_is_new_and_not_worse():
    first = plain(f"{VIOLATED}.violated", None, 1), plain(f"{VIOLATED}.judged", None, 1)
    assert verdicts(*first) == {f"{VIOLATED}.violated": NEW}
    again = plain(f"{VIOLATED}.violated", None, 0), plain(f"{VIOLATED}.judged", 0, 1)
    assert verdicts(*again) == {f"{VIOLATED}.violated": UNJUDGED}


def test_a_mark_beside_the_bounds():
    rates = figure("women_only", 0.4, 0.4)
    key = "sentiment.attributes.gender.before.base_rate.positive.women_only"
    sides = {key: rates["women_only.value"], f"{key}_low": rates["women_only.low"], f"{key}_high": rates["women_only.high"]}
    [change] = review({FILE: sides | plain(f"{key}_judged", 1, 0)}).changes
    assert (change.verdict, change.decides) == (NO_LONGER, False)  # a rate is neither good nor bad


def test_marks_beside_shares_without_interval_are_no_figures():
    """As of teacher.json and distill-train.json, in a workspace whose revision has no such marks yet."""
    task = plain("sentiment.judged", None, 1) | plain("sentiment.accuracy", 0.8, 0.7)
    general = plain("general.validation_top1_judged", None, 0) | plain("general.validation_top1", 0.1, 0.1)
    found = review({FILE: task | general | figure("mlm.quality.student.top1", 0.1, 0.1)})
    assert {change.key: change.verdict for change in found.changes if not change.decides} == {
        "sentiment.accuracy": TOLD,
        "general.validation_top1": NO_LONGER,
    }
    assert exit_status(found) == 0


def test_the_report_says_that_what_is_not_judged_counts():
    console = Console(file=io.StringIO(), width=150)
    diff = {FILE: {**figure(KEY, 0.8, 0.9), **plain("tasks.sentiment.quality.judged", 1, 0), **plain("tasks.sentiment.rows", 1589, 20)}}
    assert judge(diff, "main", console) == 1
    text = console.file.getvalue()
    assert "no longer judged" in next(line for line in text.splitlines() if KEY in line)
    assert "Figures that main judges and the workspace does not: 1. What cannot be judged is no pass, so that counts as worse." in text
    assert text.rstrip().endswith("Verdict: worse than main (0 better, 1 worse, 1 no longer judged, 0 within the interval)")


def test_a_figure_that_has_gone_is_worse_and_a_new_one_is_not():
    other = figure("mlm.quality.student.top1", 0.1, 0.1)
    lost, new = ({FILE: {**other, **figure(KEY, *sides)}} for sides in ((0.8, None), (None, 0.8)))
    assert verdicts(figure(KEY, 0.8, None)) == {KEY: LOST}
    assert verdicts(figure(KEY, None, 0.8)) == {KEY: NEW}
    assert (exit_status(review(lost)), exit_status(review(new))) == (1, 0)


def test_the_verdict_line_and_the_exit_status():
    same = figure("mlm.quality.student.top1", 0.1, 0.1)
    cases = {
        "Verdict: no worse than main (0 better, 0 worse, 2 within the interval)": (figure(KEY, 0.8, 0.8), 0),
        "Verdict: better than main (1 better, 0 worse, 1 within the interval)": (figure(KEY, 0.7, 0.8), 0),
        "Verdict: worse than main (0 better, 1 worse, 1 within the interval)": (figure(KEY, 0.8, 0.7), 1),
    }
    for line, (part, status) in cases.items():
        found = review({FILE: {**same, **part}})
        assert verdict(found, "main") == line
        assert exit_status(found) == status


def test_without_a_figure_that_both_have_nothing_can_be_told():
    assert exit_status(review({FILE: plain("tasks.sentiment.student", 0.8, 0.8)})) == 2
    assert exit_status(review({})) == 2


def test_the_report_names_what_is_worse_and_other_rows():
    console = Console(file=io.StringIO(), width=150)
    diff = {FILE: {**figure(KEY, 0.8, 0.7), **plain("tasks.sentiment.rows", 1589, 1600), **plain("tasks.sentiment.student", 0.8, 0.7)}}
    assert judge(diff, "main", console) == 1
    text = console.file.getvalue()
    [line] = [line for line in text.splitlines() if KEY in line]
    for part in ("0.8", "0.7", "-0.1", "0.02828", "worse"):
        assert part in line
    assert "tasks.sentiment.rows is 1,589 in main and 1,600 here" in text
    assert "2 figures that do not decide differ too" in text
    assert text.rstrip().splitlines()[-1].startswith("Verdict: worse than main")


def test_what_is_better_is_known_by_the_last_part_that_says_it():
    assert direction("tasks.sentiment.student") == "higher"
    assert direction("tasks.sentiment.rows") is None
    assert direction("fairness.sentiment.gender.flips.student.share") == "lower"
    assert direction("size.student_multiply_adds_a_token") == "lower"
