import json
from types import SimpleNamespace

import pytest

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.params import BiasAudit
from compactlm.stages import bias_audit


@pytest.fixture
def params(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        Document(f"{n:032x}", "reviews", f"{'she' if n % 3 else 'he'} sings {n}", f"d{n}", "sentiment", "positive" if n % 4 else "negative")
        for n in range(48)
    ]
    artifacts.write_documents(artifacts.SPLIT / "train", [*rows, Document("f" * 32, "wiki", "she slept", "w")])
    copies = [
        Document(f"{n + 100:032x}", "reviews", f"he hums {n}", f"d{n}", "sentiment", "negative", f"{n:032x}", "swap") for n in range(4)
    ]
    artifacts.write_documents(artifacts.AUGMENTED, copies)
    gender = {"groups": {"women": ["she"], "men": ["he"]}, "privileged": "men", "unprivileged": "women"}
    settings = BiasAudit(
        attributes={"gender": gender},
        protected={"sentiment": ["gender"]},
        favorable_labels={"sentiment": "positive"},
        minimum_group_rows=5,
        mitigation="reweighing",
    )
    return SimpleNamespace(bias_audit=settings, tasks={"sentiment": SimpleNamespace()})


def test_it_writes_weights_metrics_and_a_report_the_same_each_time(params):
    bias_audit.main(params)
    weights = artifacts.read_table(artifacts.WEIGHTED)
    assert weights.schema == artifacts.WEIGHT_SCHEMA
    assert len(weights) == 52
    assert sum(weights.column("weight").to_pylist()) == pytest.approx(52)
    metrics = json.loads((artifacts.METRICS / "bias-audit.json").read_text())
    steps = metrics["sentiment"]["gender"]
    assert list(steps) == ["augmented", "before", "mitigated"]
    assert steps["before"]["rows"] == {"women_only": 32, "men_only": 16, "both": 0, "neither": 0}
    assert steps["mitigated"]["disparate_impact"] == pytest.approx(1)
    assert "## sentiment, gender" in artifacts.BIAS_REPORT.read_text()
    [shard] = artifacts.WEIGHTED.glob("*.parquet")
    first = shard.read_bytes()
    bias_audit.main(params)
    assert shard.read_bytes() == first


def test_nothing_is_left_of_a_failed_run(params, monkeypatch):
    monkeypatch.setattr(artifacts, "write_table", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        bias_audit.main(params)
    assert not artifacts.WEIGHTED.exists()
    assert not (artifacts.METRICS / "bias-audit.json").exists()
