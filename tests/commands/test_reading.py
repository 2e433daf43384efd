import json

import pytest


@pytest.fixture(autouse=True)
def model(monkeypatch, student_root):
    monkeypatch.setenv("COMPACTLM_MODEL", str(student_root))


def test_fill_prints_tokens_and_probabilities_or_json(cli, on_torch):
    status, output, errors = cli("fill", "the [MASK] was [MASK]", "--top", "2")
    assert (status, errors) == (0, "")
    lines = output.splitlines()
    assert lines[0] == "mask 1"
    first = on_torch.fill("the [MASK] was [MASK]")[0][0]
    assert lines[1] == f"{first.probability:7.1%}  {first.piece}"
    assert len(lines) == 6
    status, output, _ = cli("fill", "-", "--json", "--top", "1", given=b"the [MASK]\nwas old\n")
    assert status == 0
    (mask,) = json.loads(output)
    assert mask["candidates"][0]["piece"] == on_torch.fill("the [MASK] was old")[0][0].piece


def test_a_failure_is_one_sentence_and_status_1(cli):
    status, output, errors = cli("fill", "no mask")
    assert (status, output) == (1, "")
    assert errors.startswith("compactlm: the text has no [MASK];")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("arguments", [("fill",), ("fill", "[MASK]", "--top", "0"), ("fil", "x"), ("fill", "[MASK]", "--backend", "jax")])
def test_a_mistyped_command_is_status_2(cli, arguments):
    assert cli(*arguments)[0] == 2


def test_inspect_prints_layers_and_reports_skipped_tokens(cli, export_root):
    status, output, errors = cli("inspect", "the film", "--top", "1")
    assert (status, errors) == (0, "")
    lines = output.splitlines()
    assert len(lines) == 4 * 3
    assert lines[3].split()[:2] == ["1", "the"]
    assert lines[4].strip().startswith("layer 1: ")
    status, output, errors = cli("inspect", "good " * 100, "--model", export_root, "--json")
    assert status == 0
    assert len(json.loads(output)["positions"]) == 64
    assert "the last 38 tokens" in errors


def test_check_counts(cli, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("the film\nThe \U0001f600\n".encode() + b"\xff bad\n")
    status, output, _ = cli("check", path)
    assert status == 0
    assert "unknown: '\U0001f600' 1" in output
    found = json.loads(cli("check", path, "--json")[1])
    assert (found["lines"], found["exact"], found["unknown"], found["not_utf8"]) == (3, 1, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "hinted"),
    [(("-5 stars",), True), (("-so bad",), True), (("--no-such",), False), (("a", "--top", "-1"), False), (("-5",), True)],
)
def test_a_text_that_begins_with_a_dash_is_mistyped_with_a_hint(cli, arguments, hinted):
    status, _, errors = cli("classify", *arguments)
    assert status == 2
    assert ("write -- before it" in errors) == hinted
