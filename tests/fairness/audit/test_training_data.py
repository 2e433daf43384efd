import pytest

from compactlm.fairness.audit.data_report import write_report
from compactlm.fairness.audit.training_data import audit_task, data_gate
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status
from compactlm.params import Bootstrap, Task
from tests.fixtures.builders import make_row

LABELS = ["negative", "neutral", "positive"]
TASK = Task(sources=["reviews"], labels=LABELS)
BOOTSTRAP = Bootstrap(samples=200, confidence=0.95)


def make_documents(texts, prefix, parents=None):
    return [make_row(f"{prefix}{n}", text, "reviews", label, parent=parents and parents[n]) for n, (text, label) in enumerate(texts)]


TEXTS = [("she won", "positive")] * 6 + [("she lost", "negative")] * 2 + [("he won", "positive")] * 4 + [("he lost", "negative")] * 6
ROWS = make_documents([*TEXTS, ("it rained", "neutral")], "r")
# The first copy has lost its mention of a woman.
COPIES = make_documents([("who won", "positive"), ("he wins", "positive")], "c", ["r0", "r8"])


def audit(settings, rows=ROWS, copies=COPIES):
    return audit_task(rows, copies, "sentiment", TASK, settings, Resampler(200, 1))


def impact(finding, label="positive"):
    return finding.pairs["women_to_men"][label]["disparate_impact"].value


def test_each_step_has_its_figures(settings):
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


def test_without_mitigation_the_last_step_is_not_judged(settings):
    found = audit(settings(mitigation="none"), BIASED)
    assert set(found.weights.values()) == {1.0}
    assert impact(found.findings["gender"]["mitigated"]) == impact(found.findings["gender"]["augmented"])
    assert found.counterfactuals.copies == []
    assert gate(found) == {"train rows": {Status.VIOLATED}, "with augmented copies": {Status.VIOLATED}}


@pytest.mark.parametrize("mitigation", ["counterfactual", "both"])
def test_counterfactual_copies_balance_rows_and_copies(settings, mitigation):
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
    assert "Counterfactual copies: 19" in write_report({"sentiment": found}, settings(mitigation=mitigation), BOOTSTRAP)


def test_a_task_without_protected_attributes_is_not_judged(settings):
    none = settings(protected=())
    found = audit(none)
    assert found.metrics()["attributes"] == {}
    assert found.metrics()["gate"] == {"checks": 0, "violated": 0, "undecided": 0, "not_judged": 0, "status": Status.NOT_JUDGED}
    assert set(found.weights.values()) == {1.0}
    assert "Not judged: the task names no protected attribute." in write_report({"sentiment": found}, none, BOOTSTRAP)


def test_groups_can_be_values_of_a_column(settings):
    rows = [
        make_row(f"r{n}", "it", "reviews", "positive" if n % 3 else "negative", attributes=(("region", "sn"[n % 2]),)) for n in range(24)
    ]
    chosen = settings(protected=("region",))
    found = audit(chosen, rows, [])
    assert found.findings["region"]["before"].rows == {"north_only": 12, "south_only": 12, "both": 0, "neither": 0}
    assert "Groups are values of a column" in write_report({"sentiment": found}, chosen, BOOTSTRAP)


def gate(found):
    """Return the statuses of the gate by step."""
    steps = {}
    for words, figure in data_gate({"sentiment": found}).checks:
        steps.setdefault(words.split(", ")[2], set()).add(figure.status)
    return steps


def many(counts):
    """Build rows from counts by subject and verb."""
    texts = [(f"{who} {what}", "positive" if what == "won" else "negative") for (who, what), count in counts.items() for _ in range(count)]
    return make_documents(texts, "r")


BIASED = many({("she", "won"): 180, ("she", "lost"): 20, ("he", "won"): 20, ("he", "lost"): 180})


def test_biased_data_violate_the_gate_although_weights_balance_the_last_step(settings):
    found = audit(settings(), BIASED, [])
    assert gate(found)["train rows"] == gate(found)["with augmented copies"] == {Status.VIOLATED}
    assert Status.VIOLATED not in gate(found)["after mitigation"]
    assert found.metrics()["gate"]["violated"] == 4
    report = write_report({"sentiment": found}, settings(), BOOTSTRAP)
    assert "Data gate: violated (4 violated, 0 not judged" in report
    assert "- sentiment, gender, train rows, women to men, positive, disparate impact: 9.000 (" in report


@pytest.mark.parametrize("mitigation", ["none", "reweighing", "counterfactual", "both"])
@pytest.mark.parametrize(("rows", "status"), [(2000, Status.OK), (10, Status.UNDECIDED)])
def test_fair_data_with_enough_rows_are_ok_under_every_mitigation(settings, mitigation, rows, status):
    fair = many(dict.fromkeys((("she", "won"), ("she", "lost"), ("he", "won"), ("he", "lost")), rows // 2))
    found = gate(audit(settings(mitigation=mitigation), fair, []))
    assert found["train rows"] == {status}
    assert Status.VIOLATED not in set.union(*found.values())


def test_the_report_shows_the_figures(settings):
    found = audit(settings())
    report = write_report({"sentiment": found}, settings(), BOOTSTRAP)
    assert "| train rows | 8; 75.0 % (" in report
    assert "| women to men | positive | train rows | 1.875 (" in report
    assert "| women to men | positive | after mitigation | 1.000 (" in report
    assert "he 10, she 8." in report
    assert "  - `she won`" in report
    assert "| women to men | neutral | train rows | not judged: it has no finite value |" in report


def test_a_small_group_is_never_judged(settings):
    chosen = settings(minimum=14)
    found = audit(chosen)
    report = write_report({"sentiment": found}, chosen, BOOTSTRAP)
    assert "women to men, positive, disparate impact: not judged (8 rows; at least 14 are needed)" in report
    assert "Data gate: not judged (0 violated, 6 not judged, 0 undecided, of 6 checks)." in report
    rates = found.findings["gender"]["before"].base_rates["positive"]
    assert {category: rate.judged for category, rate in rates.items()} == {"women_only": False, "men_only": False, "neither": False}
    [line] = [line for line in report.splitlines() if line.startswith("| train rows | 8;")]
    women, men = line.split("|")[2:4]
    assert women.endswith("), not judged: 8 rows; at least 14 are needed ")
    assert men.endswith("10 rows; at least 14 are needed ")


def test_results_do_not_depend_on_the_order_of_rows(settings):
    chosen = settings(mitigation="both")
    one, other = audit(chosen), audit(chosen, ROWS[::-1], COPIES[::-1])
    assert one.metrics() == other.metrics()
    assert one.weights == other.weights
    assert write_report({"sentiment": one}, chosen, BOOTSTRAP) == write_report({"sentiment": other}, chosen, BOOTSTRAP)
