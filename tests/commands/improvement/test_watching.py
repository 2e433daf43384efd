import json

import pytest

from compactlm.improvement.drift.captured import ANSWER, COUNTS, HASH, PROBABILITIES, TASK

OTHER = [f"7{number} x-rays, zz{number % 5} and {number} more: 0x{number}" for number in range(60)]


@pytest.fixture(autouse=True)
def model(monkeypatch, watched_root):
    monkeypatch.setenv("COMPACTLM_MODEL", str(watched_root))


def write(path, texts, field="text"):
    path.write_text("".join(json.dumps({field: text}) + "\n" for text in texts))
    return path


def test_the_exit_status_tells_whether_the_text_has_changed(cli, tmp_path, tiny_texts):
    status, output, errors = cli("watch", write(tmp_path / "few.jsonl", OTHER[:29], "m"), "--field", "m")
    assert output.splitlines()[0] == "29 new rows against 144 reference rows"
    assert (status, errors) == (2, "")
    assert "Verdict: undecided, because 29 rows are too few" in output
    status, output, errors = cli("watch", write(tmp_path / "new.jsonl", [*OTHER, OTHER[0], ""]))
    assert status == 1
    assert errors.splitlines() == [
        f"compactlm: 1 rows of {tmp_path / 'new.jsonl'} are left out because they have no text",
        f"compactlm: 1 rows of {tmp_path / 'new.jsonl'} are left out because they repeat the text of an earlier row",
    ]
    assert "Verdict: the text has changed (AUC of old against new text, " in output
    assert "more (1 % to 100 %)" in output.replace("\u00a0", " ")
    assert "random splits of the reference rows" in output
    status, output, _ = cli("watch", write(tmp_path / "same.jsonl", tiny_texts))
    assert status == 0
    assert output.splitlines()[-1] == "Verdict: no change was found."


def test_the_figures_are_written_for_the_report(cli, tmp_path):
    path = write(tmp_path / "new.jsonl", OTHER)
    status, output, _ = cli("watch", path, "--json", "--report", tmp_path / "loop/watch.json")
    assert status == 1
    assert json.loads(output) == json.loads((tmp_path / "loop/watch.json").read_text())
    assert json.loads(output)["findings"]["text"]["new"]["low"] > 0.5


def test_more_rows_than_asked_for_are_sampled(cli, tmp_path):
    path = write(tmp_path / "new.jsonl", OTHER)
    _, output, errors = cli("watch", path, "--most", "40")
    assert output.startswith("40 new rows")
    assert "20 rows of" in errors
    assert "were not drawn" in errors
    assert output == cli("watch", path, "--most", "40")[1] != cli("watch", path, "--most", "40", "--seed", "1")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.jsonl",), "missing.jsonl cannot be read"),
        (("{new}", "--report", "{new}/report.json"), "cannot be used"),
        (("{new}", "--field", "body"), "no row with a text in the field 'body'"),
        (("{new}", "--task", "topic"), "reference/topic has no reference sample"),
        (("{new}", "--level", "0.9"), "--level is 0.9; pass a share from 0.001 to 0.5"),
    ],
)
def test_what_cannot_be_compared_is_undecided(cli, tmp_path, arguments, message):
    path = write(tmp_path / "new.jsonl", OTHER)
    status, output, errors = cli("watch", *(one.replace("{new}", str(path)) for one in arguments))
    assert (status, output) == (2, "")
    assert message in errors


def captured(on_onnx, texts, task="sentiment"):
    """Lines of a log with hashed texts."""
    from compactlm.improvement.describing import count_words

    tokenizer = on_onnx.task("sentiment").tokenizer
    for number, text in enumerate(texts):
        answer = on_onnx.classify(text)
        counts = count_words(tokenizer, tokenizer.encode([text])[0])
        yield {TASK: task, HASH: f"{number:x}", COUNTS: counts, PROBABILITIES: list(answer.probabilities.values()), ANSWER: answer.label}


def test_a_log_with_hashed_texts_is_compared_by_words_and_answers(cli, tmp_path, on_onnx, tiny_texts):
    path = tmp_path / "requests.jsonl"
    rows = [*captured(on_onnx, OTHER), *captured(on_onnx, tiny_texts[:9], "topic"), *captured(on_onnx, OTHER[:2])]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"task": "sent')
    status, output, errors = cli("watch", path)
    assert status == 1
    assert output.startswith("60 new rows against 144")
    assert "AUC" not in output
    assert "words of several tokens" in output
    assert "2 rows of" in errors
    assert "repeat the text" in errors
    assert "1 rows of" in errors
    assert cli("watch", path, "--task", "other")[0] == 2
