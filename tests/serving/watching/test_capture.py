"""The log of answers for `compactlm watch`."""

import json
import os
import stat
from pathlib import Path

import pytest

from compactlm.errors import CompactLMError
from compactlm.improvement.describing import describe
from compactlm.improvement.drift.captured import read_new_rows
from compactlm.serving.settings import Settings
from compactlm.serving.watching.capture import Capture

LABELS = ("negative", "positive")
TEXTS = ["good film", "a bad actor", "xyzzy music", "good film"]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_nothing_is_captured_unless_the_operator_asks_for_it(client):
    assert client.service.capture is None


def test_answers_are_captured_with_hashes_of_the_texts(start, tmp_path, on_onnx):
    path = tmp_path / "log/requests.jsonl"
    client = start(capture=path)
    answers = client.post("/predict", json={"inputs": TEXTS}).json()
    found = lines(path)
    assert [one["label"] for one in found] == [answer[0]["label"] for answer in answers]
    assert not any(text in path.read_text() for text in ("film", "actor", "xyzzy"))
    assert found[0]["text_hash"] == found[3]["text_hash"] != found[1]["text_hash"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # Watching reads what the server has seen.
    new = read_new_rows(path, "text", "sentiment", LABELS, 100, 0)
    expected = describe(TEXTS[:3], on_onnx.embedding, on_onnx.task("sentiment"))
    assert (new.described.counts == expected.counts).all()
    assert (new.described.answers == expected.answers).all()
    assert new.described.probabilities == pytest.approx(expected.probabilities, abs=1e-5)
    assert new.repeated == 1
    # Another server has another key, so its hashes cannot be compared.
    other = start(capture=path)
    other.post("/predict", json={"inputs": "good film", "raw_scores": True})
    assert len(lines(path)) == 5
    assert lines(path)[4]["text_hash"] != found[0]["text_hash"]


def test_texts_are_captured_if_the_operator_asks_for_them(start, tmp_path):
    path = tmp_path / "requests.jsonl"
    start(capture=path, capture_texts="plain").post("/predict/sentiment", json={"inputs": TEXTS})
    new = read_new_rows(path, "text", "sentiment", LABELS, 100, 0)
    assert [row.text for row in new.rows] == TEXTS[:3]
    with pytest.raises(CompactLMError, match="no requests for the task 'topic'"):
        read_new_rows(path, "text", "topic", LABELS, 100, 0)


def test_a_share_of_the_texts_is_captured(start, tmp_path):
    path = tmp_path / "requests.jsonl"
    client = start(capture=path, capture_share=0.25)
    for _ in range(8):
        client.post("/predict", json={"inputs": [f"good film {at}" for at in range(100)]})
    assert 140 < len(lines(path)) < 265  # five standard deviations around 200


def test_the_capture_ends_at_its_size_and_the_server_goes_on(start, tmp_path, caplog):
    path = tmp_path / "requests.jsonl"
    path.write_bytes(b"x" * 999_000)
    client = start(capture=path, capture_megabytes=1)
    for _ in range(10):
        assert client.post("/predict", json={"inputs": TEXTS}).status_code == 200
    assert path.stat().st_size <= 1_000_000
    assert [record.message for record in caplog.records if "is full" in record.message] == [
        f"{path} is full, so no more requests are captured; move it away and start the server again"
    ]


def test_a_full_disk_ends_the_capture_and_the_server_goes_on(start, caplog):
    if not os.path.exists("/dev/full"):  # noqa: PTH110 - a device
        pytest.skip("there is no /dev/full here")
    client = start()
    client.service.capture = Capture(Path("/dev/full"), False, 1.0, 1_000_000)
    assert client.post("/predict", json={"inputs": TEXTS}).status_code == 200
    assert any("No space left" in record.message for record in caplog.records)


@pytest.mark.parametrize("settings", [{"capture_share": 0}, {"capture_share": 1.5}, {"capture_megabytes": 0}])
def test_settings_are_checked(settings):
    with pytest.raises(CompactLMError, match=rf"{next(iter(settings))} is"):
        Settings(**settings)


def test_a_path_that_cannot_be_written_is_refused_before_the_server_starts(start, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CompactLMError, match=r"cannot be written .*; pass another path with --capture"):
        start(capture=tmp_path / "file" / "requests.jsonl")
