import io

import pytest
from rich.console import Console

from compactlm.evaluation.review.changes import BETTER, INFORMATION, LOST, NEW, NO_LONGER, UNJUDGED, WITHIN, WORSE, review
from compactlm.evaluation.review.console import exit_status, judge, verdict
from compactlm.figures.figure import Status

FILE = "reports/metrics/evaluate.json"
KEY = "tasks.sentiment.quality.student.accuracy"
PAIR = "fairness.tasks.sentiment.gender.pairs.women_to_men.disparate_impact"
SAME = "mlm.quality.student.top1"  # a figure that does not change


def side(value, half=0.02, status=0):
    """Return a figure in the form of metric files, or nothing if the value is None."""
    if value is None:
        return {}
    bounds = {} if half is None else {"low": value - half, "high": value + half}
    return {"value": value, "status": status, "rows": 100, **bounds}


def pair(key, old, new):
    """Return DVC's diff of a figure of two files."""
    return {f"{key}.{name}": {"old": old.get(name), "new": new.get(name)} for name in {**old, **new}}


def figure(key, old, new, half=0.02, statuses=(0, 0)):
    """Return DVC's diff of a figure with an interval."""
    return pair(key, *(side(value, half, status) for value, status in zip((old, new), statuses, strict=True)))


def plain(key, old, new):
    return {key: {"old": old, "new": new}}


def verdicts(diff):
    return {change.key: change.verdict for change in review({FILE: diff}).changes}


def printed(diff):
    """Judge a diff that is worse, and return what is printed."""
    console = Console(file=io.StringIO(), width=150)
    assert judge({FILE: diff}, "main", console) == 1
    return console.file.getvalue().rstrip()


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
        ("fairness.stereotypes.gender.preference.student", 0.45, 0.60, WORSE),
        ("fairness.stereotypes.gender.preference.amplification", -0.15, 0.05, INFORMATION),
        ("something.new", 0.1, 0.9, INFORMATION),
    ],
)
def test_a_figure_is_judged_by_its_direction_and_its_interval(key, old, new, expected):
    assert verdicts(figure(key, old, new)) == {key: expected}


@pytest.mark.parametrize(
    ("key", "old", "new", "expected"),
    [
        ("size.student_parameters", 2_271_297, 2_271_297, WITHIN),
        ("size.student_parameters", 2_271_297, 2_500_000, WORSE),
        ("size.student_bytes", 9_100_000, 9_100_100, WITHIN),
        ("size.ratio", 0.1, 0.05, BETTER),
        ("fairness.gate.violated", 0, 1, WORSE),
        ("fairness.gate.violated", 2, 0, BETTER),
        ("fairness.gate.not_judged", 2, 3, WORSE),
        ("fairness.gate.undecided", 0, 3, INFORMATION),
        ("fairness.gate.checks", 12, 14, INFORMATION),
        ("tasks.sentiment.rows", 1589, 1400, INFORMATION),
        ("tasks.sentiment.rows", 1589, 4000, INFORMATION),
        ("tasks.sentiment.rows", 1589, 700, WORSE),
        ("mlm.rows", 1500, 100, WORSE),
        ("tasks.sentiment.robustness.rows", 300, 200, INFORMATION),
        ("tasks.sentiment.robustness.rows", 300, 30, WORSE),  # enough to be judged, and an interval that hides a brittle student
        ("fairness.tasks.sentiment.gender.counterfactual.rows", 224, 40, WORSE),
        ("mlm.quality.words", 556, 100, WORSE),
        ("fairness.stereotypes.gender.pairs", 200, 40, WORSE),
        ("mlm.sources.quac.words", 80, 10, INFORMATION),
        ("tasks.sentiment.slices.length.short.rows", 255, 40, INFORMATION),
        ("tasks.sentiment.student", 0.8, 0.5, INFORMATION),  # the same number as quality.student.accuracy, which has an interval
    ],
)
def test_exact_figures_decide_without_an_interval(key, old, new, expected):
    assert verdicts(plain(key, old, new)) == {key: expected}


def test_some_figures_decide_and_others_are_only_shown():
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
def test_a_ratio_and_its_inverse_are_equally_far_from_parity(old, new, expected):
    key = "fairness.sentiment.gender.student.disparate_impact"
    sides = ({"value": value, "low": value * 0.99, "high": value * 1.01, "status": 0} for value in (old, new))
    assert verdicts(pair(key, *sides)) == {key: expected}


@pytest.mark.parametrize(
    ("figures", "better"),
    [
        (figure(KEY, 0.8, 0.8) | figure("tasks.sentiment.quality.teacher.accuracy", 0.9, 0.6), 0),
        (figure(f"{PAIR}.student", 0.4, 1.0) | figure(f"{PAIR}.amplification", 0.0, 0.6), 1),
    ],
    ids=["the teacher alone", "a student that is fairer than its teacher"],
)
def test_figures_that_compare_the_models_do_not_make_a_change_worse(figures, better):
    found = review({FILE: figures})
    assert (found.count(BETTER), found.count(WORSE), exit_status(found)) == (better, 0, 0)


OK, VIOLATED, UNDECIDED, NOT_JUDGED = Status


@pytest.mark.parametrize(
    ("statuses", "new", "expected"),
    [
        ((OK, OK), 0.81, WITHIN),
        ((OK, VIOLATED), 0.81, WORSE),
        ((UNDECIDED, VIOLATED), 0.81, WORSE),
        ((VIOLATED, OK), 0.79, BETTER),
        ((VIOLATED, VIOLATED), 0.79, WITHIN),
        ((VIOLATED, UNDECIDED), 0.79, INFORMATION),
        ((OK, UNDECIDED), 0.79, INFORMATION),
        ((UNDECIDED, OK), 0.79, INFORMATION),
        ((OK, UNDECIDED), 0.5, WORSE),  # by more than the margin
        ((OK, NOT_JUDGED), 0.95, NO_LONGER),
        ((NOT_JUDGED, OK), 0.1, UNJUDGED),
        ((NOT_JUDGED, NOT_JUDGED), 0.1, UNJUDGED),
        ((OK, OK), None, LOST),
    ],
)
def test_a_change_of_status_is_judged(statuses, new, expected):
    group = "fairness.tasks.sentiment.gender.accuracy.women_only.student"
    for key in (group, f"{PAIR}.amplification"):
        diff = figure(key, 0.8, new, statuses=statuses)
        status_decides = expected == BETTER or (expected == WORSE and statuses[1] is VIOLATED)
        values_count = key == group or status_decides or expected not in (WITHIN, WORSE)  # amplification decides by its status alone
        [change] = review({FILE: diff}).changes
        assert change.verdict == (expected if values_count else INFORMATION)
        assert change.decides or not status_decides


def test_a_status_outside_the_gates_does_not_decide():
    """The limit of a worst slice follows the accuracy on all rows."""
    for statuses in ((OK, VIOLATED), (VIOLATED, OK), (OK, UNDECIDED)):
        assert verdicts(figure("tasks.sentiment.worst_slice.student", 0.7, 0.7, statuses=statuses)) == {
            "tasks.sentiment.worst_slice.student": WITHIN
        }


def test_a_figure_that_loses_its_interval_is_no_longer_judged():
    diff = pair(KEY, side(0.8), side(0.8, half=None)) | figure(SAME, 0.1, 0.1)
    assert verdicts(diff) == {KEY: NO_LONGER, SAME: WITHIN}
    found = review({FILE: diff})
    assert exit_status(found) == 1
    assert verdict(found, "main").startswith("Verdict: worse than main (0 better, 0 worse, 1 no longer judged")


def test_figures_without_an_interval_do_not_decide():
    """Such figures are in teacher.json and distill-train.json."""
    task = figure("sentiment.accuracy", 0.8, 0.7, half=None)
    general = figure("general.validation_top1", 0.1, 0.1, half=None, statuses=(OK, NOT_JUDGED))
    found = review({FILE: task | general | figure(SAME, 0.1, 0.1)})
    assert {change.key: change.verdict for change in found.changes if not change.decides} == {
        "sentiment.accuracy": INFORMATION,
        "general.validation_top1": NO_LONGER,
    }
    assert exit_status(found) == 0


def test_the_report_says_that_figures_that_are_no_longer_judged_count():
    text = printed(figure(KEY, 0.8, 0.9, statuses=(OK, NOT_JUDGED)) | plain("tasks.sentiment.rows", 1589, 20))
    assert "no longer judged" in next(line for line in text.splitlines() if KEY in line)
    assert "Figures that main judges and the workspace does not: 1. They count as worse." in text
    assert text.endswith("Verdict: worse than main (0 better, 1 worse, 1 no longer judged, 0 within the interval)")


@pytest.mark.parametrize(
    ("old", "new", "expected", "status", "line"),
    [
        (0.8, 0.8, WITHIN, 0, "Verdict: no worse than main (0 better, 0 worse, 2 within the interval)"),
        (0.7, 0.8, BETTER, 0, "Verdict: better than main (1 better, 0 worse, 1 within the interval)"),
        (0.8, 0.7, WORSE, 1, "Verdict: worse than main (0 better, 1 worse, 1 within the interval)"),
        (0.8, None, LOST, 1, "Verdict: worse than main (0 better, 0 worse, 1 lost, 1 within the interval)"),
        (None, 0.8, NEW, 0, "Verdict: no worse than main (0 better, 0 worse, 1 within the interval)"),
    ],
)
def test_the_verdict_line_and_the_exit_status(old, new, expected, status, line):
    diff = figure(SAME, 0.1, 0.1) | figure(KEY, old, new)
    assert verdicts(diff) == {SAME: WITHIN, KEY: expected}
    found = review({FILE: diff})
    assert (verdict(found, "main"), exit_status(found)) == (line, status)


def test_revisions_without_a_common_figure_cannot_be_compared():
    assert exit_status(review({FILE: plain("tasks.sentiment.student", 0.8, 0.8)})) == 2
    assert exit_status(review({})) == 2


def test_the_report_names_figures_that_are_worse_and_changed_numbers_of_rows():
    rows, share = plain("tasks.sentiment.rows", 1589, 1600), plain("tasks.sentiment.student", 0.8, 0.7)
    text = printed(figure(KEY, 0.8, 0.7) | rows | share)
    [line] = [line for line in text.splitlines() if KEY in line]
    for part in ("0.8", "0.7", "-0.1", "0.02828", "worse"):
        assert part in line
    assert "tasks.sentiment.rows is 1,589 in main and 1,600 here" in text
    assert "2 other figures differ and do not decide" in text
    assert text.splitlines()[-1].startswith("Verdict: worse than main")
