"""A second model behind the served one: counted, not sent, and never a reason for a failure."""

import json
import shutil
import time

import pytest

from compactlm.errors import CompactLMError
from compactlm.serving.settings import Settings
from compactlm.serving.watching import shadow

TEXTS = ["the film was good", "the dog was bad", "a warm story", "by the river"]


@pytest.fixture
def swapped(export_root, tmp_path):
    """A copy of the models whose labels are swapped, so that it gives the other label to every text."""
    shutil.copytree(export_root, tmp_path / "swapped")
    path = tmp_path / "swapped" / "sentiment" / "config.json"
    config = json.loads(path.read_text())
    config["id2label"] = {"0": config["id2label"]["1"], "1": config["id2label"]["0"]}
    config["label2id"] = {label: int(number) for number, label in config["id2label"].items()}
    path.write_text(json.dumps(config))
    return tmp_path / "swapped"


def metrics(client, name, counted=1):
    """Return the lines of a metric as soon as the shadow has answered so many requests."""
    deadline = time.monotonic() + 30
    while True:
        lines = client.get("/metrics").text.splitlines()
        done = sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("compactlm_shadow_seconds_count"))
        if done >= counted or time.monotonic() > deadline:
            return [line for line in lines if line.startswith(name)]
        time.sleep(0.02)


def test_the_answers_of_the_same_model_agree_and_are_timed(start, export_root):
    client = start(shadow=export_root)
    alone = start().post("/predict", json={"inputs": TEXTS}).json()
    assert client.post("/predict", json={"inputs": TEXTS}).json() == alone
    assert metrics(client, "compactlm_shadow_agreement") == ['compactlm_shadow_agreement{task="sentiment"} 1.0']
    counts = [float(line.rpartition(" ")[2]) for line in metrics(client, "compactlm_shadow_answers_total")]
    assert sum(counts) == len(TEXTS)
    [seconds] = metrics(client, "compactlm_shadow_seconds_sum")
    assert float(seconds.rpartition(" ")[2]) > 0


def test_other_answers_are_counted_and_not_sent(start, swapped):
    client, alone = start(shadow=swapped), start()
    for _ in range(2):
        assert client.post("/predict", json={"inputs": TEXTS}).json() == alone.post("/predict", json={"inputs": TEXTS}).json()
    assert metrics(client, "compactlm_shadow_agreement", counted=2) == ['compactlm_shadow_agreement{task="sentiment"} 0.0']
    for line in metrics(client, "compactlm_shadow_answers_total"):
        labels = dict(part.split("=") for part in line[line.index("{") + 1 : line.index("}")].split(","))
        assert labels["label"] != labels["shadow"]
    assert metrics(alone, "compactlm_shadow_answers_total", counted=0) == []


def test_a_shadow_that_fails_or_is_too_slow_costs_no_request(start, export_root, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("broken")

    client = start(shadow=export_root)
    monkeypatch.setattr(shadow, "classify", broken)
    assert client.post("/predict", json={"inputs": TEXTS}).status_code == 200
    client.service.shadow._pool.submit(int).result(30)
    assert metrics(client, "compactlm_shadow_skipped_total", counted=0) == [
        'compactlm_shadow_skipped_total{reason="failed",task="sentiment"} 4.0'
    ]
    monkeypatch.setattr(shadow, "MOST_WAITING", 3)
    assert client.post("/predict", json={"inputs": TEXTS}).status_code == 200
    assert 'compactlm_shadow_skipped_total{reason="busy",task="sentiment"} 4.0' in metrics(
        client, "compactlm_shadow_skipped_total", counted=0
    )


def test_a_directory_that_cannot_be_compared_is_refused_at_the_start(start, export_root, swapped, tmp_path):
    path = swapped / "sentiment" / "config.json"
    path.write_text(path.read_text().replace("positive", "great"))
    with pytest.raises(CompactLMError, match=r"^the task sentiment of .* has other labels than the served model"):
        start(shadow=swapped)
    with pytest.raises(CompactLMError, match=r"has no task of the served model \(sentiment\)"):
        start(shadow=tmp_path)
    assert Settings().shadow is None
