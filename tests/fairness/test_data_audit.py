import pytest

from compactlm.artifacts import Document
from compactlm.fairness.data_audit import audit_task, write_report
from compactlm.params import BiasAudit

FAVORABLE = {"sentiment": "positive"}


def make_settings(mitigation="reweighing", minimum=4):
    gender = {"groups": {"women": ["she"], "men": ["he"]}, "privileged": "men", "unprivileged": "women"}
    return BiasAudit(
        attributes={"gender": gender},
        protected={"sentiment": ["gender"]},
        favorable_labels=FAVORABLE,
        minimum_group_rows=minimum,
        mitigation=mitigation,
    )


def make_documents(texts, prefix, parents=None):
    return [
        Document(f"{prefix}{n}", "reviews", text, f"d{n}", "sentiment", label, parents and parents[n])
        for n, (text, label) in enumerate(texts)
    ]


TEXTS = [("she won", "positive")] * 6 + [("she lost", "negative")] * 2 + [("he won", "positive")] * 4 + [("he lost", "negative")] * 6
ROWS = make_documents([*TEXTS, ("it rained", "neutral")], "r")
# The first copy has lost its mention of a woman.
COPIES = make_documents([("who won", "positive"), ("he wins", "positive")], "c", ["r0", "r8"])


def test_before_and_after():
    audit = audit_task(ROWS, COPIES, ["gender"], "positive", make_settings())
    steps = audit.findings["gender"]
    assert steps["before"].disparate_impact == pytest.approx(0.75 / 0.4)
    assert steps["before"].rows == {"women_only": 8, "men_only": 10, "both": 0, "neither": 1}
    assert steps["augmented"].rows == {"women_only": 8, "men_only": 11, "both": 0, "neither": 2}
    assert steps["augmented"].disparate_impact == pytest.approx(0.75 / (5 / 11))
    assert steps["mitigated"].disparate_impact == pytest.approx(1)


def test_every_row_and_copy_has_a_weight_by_its_own_text():
    weights = audit_task(ROWS, COPIES, ["gender"], "positive", make_settings()).weights
    assert set(weights) == {row.id for row in [*ROWS, *COPIES]}
    assert weights["c0"] == 1.0
    assert weights["r0"] < 1.0 < weights["r8"] == weights["c1"]
    assert weights["r18"] == 1.0


def test_no_mitigation():
    audit = audit_task(ROWS, COPIES, ["gender"], "positive", make_settings("none"))
    assert set(audit.weights.values()) == {1.0}
    assert audit.findings["gender"]["mitigated"] == audit.findings["gender"]["augmented"]


def test_a_task_without_protected_attributes():
    audit = audit_task(ROWS, [], [], "", make_settings())
    assert audit.metrics() == {}
    assert set(audit.weights.values()) == {1.0}
    assert "Not judged: the task names no protected attribute." in write_report({"sentiment": audit}, make_settings(), FAVORABLE)


def test_the_report_says_what_was_measured():
    audit = audit_task(ROWS, COPIES, ["gender"], "positive", make_settings())
    report = write_report({"sentiment": audit}, make_settings(), FAVORABLE)
    assert "| train rows | 8, 75.0% | 10, 40.0% | 0, - | 1, 0.0% | 1.875 | +0.350 |" in report
    assert "not judged" not in report


def test_the_report_never_passes_a_small_group():
    settings = make_settings(minimum=9)
    report = write_report({"sentiment": audit_task(ROWS, COPIES, ["gender"], "positive", settings)}, settings, FAVORABLE)
    assert "- train rows: not judged: only 8 rows mention women and no other group; at least 9 are needed." in report
    assert report.count("| - | - |") == 3
