import pytest
from compactlm.fairness.audit.data import audit_task

from compactlm.artifacts import Document
from compactlm.fairness.audit.data_report import write_report

LABELS = ["negative", "neutral", "positive"]


def make_documents(texts, prefix, parents=None):
    return [
        Document(f"{prefix}{n}", "reviews", text, f"d{n}", "sentiment", label, parents and parents[n])
        for n, (text, label) in enumerate(texts)
    ]


TEXTS = [("she won", "positive")] * 6 + [("she lost", "negative")] * 2 + [("he won", "positive")] * 4 + [("he lost", "negative")] * 6
ROWS = make_documents([*TEXTS, ("it rained", "neutral")], "r")
# The first copy has lost its mention of a woman.
COPIES = make_documents([("who won", "positive"), ("he wins", "positive")], "c", ["r0", "r8"])


def audit(settings, rows=ROWS, copies=COPIES):
    return audit_task(rows, copies, "sentiment", LABELS, settings, 1)


def impact(finding, label="positive"):
    return next(found.disparate_impact.value for found in finding.comparisons if found.label == label)


def test_before_and_after(settings):
    steps = audit(settings()).findings["gender"]
    assert impact(steps["before"]) == pytest.approx(0.75 / 0.4)
    assert impact(steps["before"], "negative") == pytest.approx(0.25 / 0.6)
    assert steps["before"].rows == {"women_only": 8, "men_only": 10, "both": 0, "neither": 1}
    assert steps["augmented"].rows == {"women_only": 8, "men_only": 11, "both": 0, "neither": 2}
    assert impact(steps["augmented"]) == pytest.approx(0.75 / (5 / 11))
    assert impact(steps["mitigated"]) == pytest.approx(1)


def test_every_row_and_copy_has_a_weight_by_its_own_text(settings):
    weights = audit(settings()).weights
    assert set(weights) == {row.id for row in [*ROWS, *COPIES]}
    assert weights["c0"] == 1.0
    assert weights["r0"] < 1.0 < weights["r8"] == weights["c1"]
    assert weights["r18"] == 1.0


def test_no_mitigation(settings):
    found = audit(settings(mitigation="none"))
    assert set(found.weights.values()) == {1.0}
    assert found.findings["gender"]["mitigated"] == found.findings["gender"]["augmented"]
    assert found.counterfactuals.copies == []


@pytest.mark.parametrize("mitigation", ["counterfactual", "both"])
def test_counterfactual_copies_balance_rows_and_copies_alike(settings, mitigation):
    found = audit(settings(mitigation=mitigation))
    copies = found.counterfactuals.copies
    assert len(copies) == 19
    assert {copy.parent for copy in copies} == {row.id for row in [*ROWS[:18], COPIES[1]]}
    assert set(found.weights) == {row.id for row in [*ROWS, *COPIES, *copies]}
    assert set(found.weights.values()) == {1.0}
    mitigated = found.findings["gender"]["mitigated"]
    assert mitigated.rows == {"women_only": 19, "men_only": 19, "both": 0, "neither": 2}
    assert impact(mitigated) == pytest.approx(1)
    assert found.metrics()["counterfactual"]["copies"] == 19
    assert "Counterfactual copies: 19" in write_report({"sentiment": found}, settings(mitigation=mitigation))


def test_a_task_without_protected_attributes(settings):
    none = settings(protected=())
    found = audit(none)
    assert found.metrics()["attributes"] == {}
    assert found.metrics()["gate"] == {"passed": 0, "checks": 0, "violations": 0, "not_judged": 0, "figures": {}}
    assert set(found.weights.values()) == {1.0}
    assert "Not judged: the task names no protected attribute." in write_report({"sentiment": found}, none)


def test_an_attribute_of_a_column(settings):
    rows = [
        Document(f"r{n}", "reviews", "it", f"d{n}", "sentiment", "positive" if n % 3 else "negative", attributes=(("region", "sn"[n % 2]),))
        for n in range(24)
    ]
    chosen = settings(protected=("region",))
    found = audit(chosen, rows, [])
    assert found.findings["region"]["before"].rows == {"north_only": 12, "south_only": 12, "both": 0, "neither": 0}
    assert "Groups are read off a column" in write_report({"sentiment": found}, chosen)


def gate(found):
    """The counts of the gate, and what is violated at each step."""
    gate = found.metrics()["gate"]
    steps = {name: step["women_to_men"]["positive"] for name, step in gate.pop("figures")["gender"].items()}
    return gate, {name: {one["violated"] for one in figures.values()} for name, figures in steps.items()}


def test_weights_that_make_the_last_step_even_pass_no_biased_data(settings):
    counts, violated = gate(audit(settings()))
    assert counts == {"passed": 0, "checks": 6, "violations": 4, "not_judged": 0}
    assert violated == {"before": {1}, "augmented": {1}, "mitigated": {0}}
    report = write_report({"sentiment": audit(settings())}, settings())
    assert "Data gate: not passed (4 violated, 0 not judged, of 6 checks)" in report
    assert "- sentiment, gender, train rows, women to men, label positive, disparate impact: 1.875 (" in report


def test_without_mitigation_there_is_no_last_step_to_judge(settings):
    counts, violated = gate(audit(settings(mitigation="none")))
    assert counts == {"passed": 0, "checks": 4, "violations": 4, "not_judged": 0}
    assert violated == {"before": {1}, "augmented": {1}}


@pytest.mark.parametrize("mitigation", ["none", "reweighing", "counterfactual", "both"])
def test_fair_data_pass_whatever_the_mitigation(settings, mitigation):
    texts = [(f"{who} {what}", label) for who in ("she", "he") for what, label in (("won", "positive"), ("lost", "negative")) * 5]
    counts, _ = gate(audit(settings(mitigation=mitigation), make_documents(texts, "r"), []))
    assert (counts["passed"], counts["violations"]) == (1, 0)


def test_the_report_says_what_was_measured(settings):
    found = audit(settings())
    report = write_report({"sentiment": found}, settings())
    assert "| train rows | 8; 75.0% (" in report
    assert "| women to men | positive | train rows | 1.875 (" in report
    assert "| women to men | positive | after mitigation | 1.000 (" in report
    assert "most frequent in the train rows: he 10, she 8." in report
    assert "  - `she won`" in report
    assert "not judged: only" not in report
    assert "- train rows, women to men: not judged: no row of men only has the label neutral" in report


def test_the_report_never_passes_a_small_group(settings):
    chosen = settings(minimum=9)
    report = write_report({"sentiment": audit(chosen)}, chosen)
    assert "- train rows, women to men: not judged: only 8 rows belong to women and no other group; at least 9 are needed." in report
    assert "Data gate: not passed (0 violated, 6 not judged, of 6 checks)." in report


def test_the_base_rate_of_a_small_group_is_marked_in_the_metrics_and_on_the_page(settings):
    chosen = settings(minimum=9)
    found = audit(chosen)
    rates = found.metrics()["attributes"]["gender"]["before"]["base_rate"]["positive"]
    assert {key: value for key, value in rates.items() if key.endswith("_judged")} == {
        "women_only_judged": 0,
        "men_only_judged": 1,
        "neither_judged": 0,
    }
    [line] = [line for line in write_report({"sentiment": found}, chosen).splitlines() if line.startswith("| train rows | 8;")]
    women, men = line.split("|")[2:4]
    assert women.endswith("%), not judged: fewer than 9 rows ")
    assert "not judged" not in men


def test_nothing_depends_on_the_order_of_the_rows(settings):
    chosen = settings(mitigation="both")
    one, other = audit(chosen), audit(chosen, ROWS[::-1], COPIES[::-1])
    assert one.metrics() == other.metrics()
    assert one.weights == other.weights
    assert write_report({"sentiment": one}, chosen) == write_report({"sentiment": other}, chosen)
