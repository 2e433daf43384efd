import json

import pytest

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.figures.figure import Status
from compactlm.stages import bias_audit
from tests.fixtures.builders import make_row


@pytest.fixture
def build(tmp_path, monkeypatch, build_params):
    """Write what the stage reads to a working directory; return a factory of parameters with changes to bias_audit."""
    monkeypatch.chdir(tmp_path)
    rows = [make_row(n, f"{'she' if n % 3 else 'he'} sings {n}", "reviews", "positive" if n % 4 else "negative") for n in range(48)]
    artifacts.write_documents(artifacts.SPLIT / "train", [*rows, make_row("f" * 32, "she slept", "wiki")])
    copies = [make_row(n + 100, f"he hums {n}", "reviews", "negative", parent=f"{n:032x}", augmenter="swap") for n in range(4)]
    artifacts.write_documents(artifacts.AUGMENTED, copies)

    def params(on_violation="warn", **changes):
        settings = {"minimum_group_rows": 5, "protected": {"sentiment": ["gender"]}, "gate": {"on_violation": on_violation}}
        return build_params(bias_audit=settings | changes)

    return params


def metrics():
    return json.loads((artifacts.METRICS / "bias-audit.json").read_text())["sentiment"]


def test_two_runs_write_the_same_weights_metrics_and_report(build, capsys):
    bias_audit.main(build())
    weights = artifacts.read_table(artifacts.WEIGHTED)
    assert weights.schema == artifacts.WEIGHT_SCHEMA
    assert len(weights) == 52
    assert sum(weights.column("weight").to_pylist()) == pytest.approx(52)
    steps = metrics()["attributes"]["gender"]
    assert set(steps) == {"augmented", "before", "mitigated"}
    assert steps["before"]["rows"] == {"women_only": 32, "men_only": 16, "both": 0, "neither": 0}
    assert steps["mitigated"]["pairs"]["women_to_men"]["positive"]["disparate_impact"]["value"] == pytest.approx(1)
    assert "## sentiment, gender" in artifacts.BIAS_REPORT.read_text()
    assert "Data gate: undecided (0 violated, 0 not judged, 6 undecided, of 6 checks).\nsentiment, gender, " in capsys.readouterr().out
    assert artifacts.read_documents(artifacts.COUNTERFACTUAL) == []
    [shard] = artifacts.WEIGHTED.glob("*.parquet")
    first = shard.read_bytes(), artifacts.BIAS_REPORT.read_bytes(), (artifacts.METRICS / "bias-audit.json").read_bytes()
    bias_audit.main(build())
    assert (shard.read_bytes(), artifacts.BIAS_REPORT.read_bytes(), (artifacts.METRICS / "bias-audit.json").read_bytes()) == first


@pytest.mark.parametrize("mitigation", ["counterfactual", "both"])
def test_counterfactual_copies_and_their_weights_are_written(build, mitigation):
    bias_audit.main(build(mitigation=mitigation))
    copies = artifacts.read_documents(artifacts.COUNTERFACTUAL)
    assert len(copies) == 52
    train = {row.id for place in (artifacts.SPLIT / "train", artifacts.AUGMENTED) for row in artifacts.read_documents(place)}
    assert {copy.parent for copy in copies} == train - {"f" * 32}
    assert {copy.id for copy in copies} < set(artifacts.read_table(artifacts.WEIGHTED).column("id").to_pylist())
    assert metrics()["counterfactual"]["copies"] == 52


def test_a_violation_is_printed_and_ends_the_stage_if_the_gate_is_strict(build, capsys):
    # Three in four rows about women have the positive label, and one in four rows about men.
    good = {0, 3, 5, 7}
    rows = [make_row(n, f"{'she' if n % 2 else 'he'} sings {n}", "r", "positive" if n % 8 in good else "negative") for n in range(96)]
    artifacts.write_documents(artifacts.SPLIT / "train", rows)
    artifacts.write_documents(artifacts.AUGMENTED, [])
    bias_audit.main(build(mitigation="none"))
    printed = capsys.readouterr().out
    assert "Data gate: violated (4 violated, 0 not judged, 0 undecided, of 4 checks)." in printed
    assert "sentiment, gender, train rows, women to men, positive, disparate impact: 3.000 (" in printed
    assert "is violated (limit: 0.8 to 1.25)" in artifacts.BIAS_REPORT.read_text()
    gate = metrics()["gate"]
    impact = metrics()["attributes"]["gender"]["before"]["pairs"]["women_to_men"]["positive"]["disparate_impact"]
    assert (impact["status"], impact["limit_low"], impact["limit_high"], impact["rows"]) == (Status.VIOLATED, 0.8, 1.25, 48)
    (artifacts.METRICS / "bias-audit.json").unlink()
    with pytest.raises(CompactLMError, match=r"^Data gate: .*4 violated.*train rows, women to men.*see reports/bias-audit.md"):
        bias_audit.main(build("fail", mitigation="none"))
    assert metrics()["gate"] == gate
    for mitigation, undecided in (("reweighing", 2), ("counterfactual", 0)):
        with pytest.raises(CompactLMError, match=f"4 violated, 0 not judged, {undecided} undecided, of 6 checks"):
            bias_audit.main(build("fail", mitigation=mitigation))


def test_a_failed_run_leaves_no_output(build, monkeypatch):
    monkeypatch.setattr(artifacts, "write_table", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        bias_audit.main(build())
    assert not artifacts.WEIGHTED.exists()
    assert not (artifacts.METRICS / "bias-audit.json").exists()
