"""Lines in, answers out, with classify as the example: broken lines, closed pipes, Ctrl-C."""

import json
import signal
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "compactlm.cli", "classify"]


@pytest.fixture(autouse=True)
def model(monkeypatch, export_root):
    """A tiny model with one task is the default."""
    monkeypatch.setenv("COMPACTLM_MODEL", str(export_root))


def test_one_text_is_classified(cli, on_onnx):
    answer = on_onnx.classify("good")
    status, output, errors = cli("classify", "good")
    assert (status, errors) == (0, "")
    assert output.splitlines()[0] == answer.label
    assert json.loads(cli("classify", "good", "--json")[1])["probabilities"] == pytest.approx(answer.probabilities)


def test_each_line_gets_one_line_of_output(cli, tmp_path, on_onnx, tiny_texts):
    path = tmp_path / "lines.txt"
    lines = [*tiny_texts, "", "\U0001f600", "good " * 100]
    path.write_text("\n".join(lines))
    status, output, errors = cli("classify", "--file", path)
    assert status == 0
    rows = [row.split("\t") for row in output.splitlines()]
    assert [row[2] for row in rows] == lines
    assert [row[0] for row in rows] == [answer.label for answer in on_onnx.classify_all(lines)]
    assert errors.splitlines() == [
        "compactlm: 1 texts are longer than 64 tokens, so they were truncated",
        "compactlm: of 2 texts at least half is unknown to the model's vocabulary, so their answers mean little",
    ]
    assert cli("classify", "-", "--line-buffered", given=path.read_bytes())[1] == output


def test_a_broken_line_keeps_its_place(cli):
    status, output, errors = cli("classify", "-", given=b"good\nb\xffd\nold\n")
    assert status == 0
    assert [row.split("\t")[2] for row in output.splitlines()] == ["good", "b\ufffdd", "old"]
    assert "U+FFFD in 1 lines, first in line 2" in errors
    rows = b'{"m": "good"}\n{"m": \n{"m": "old"}\n'
    status, output, errors = cli("classify", "-", "--field", "m", "--json", given=rows)
    assert status == 1
    first, second, third = map(json.loads, output.splitlines())
    assert second == {"error": "it is not valid JSON"}
    assert "label" in first
    assert "label" in third
    assert errors.startswith("compactlm: 1 lines could not be read and have no answer (line 2: ")
    # A text with line breaks has one line of output.
    rows = b'{"m": "good\\nfilm"}\n{"m": "old\\r\\n\\tdog"}\n'
    status, output, _ = cli("classify", "-", "--field", "m", given=rows)
    assert status == 0
    assert [line.split("\t")[2] for line in output.split("\n")[:-1]] == ["good film", "old   dog"]
    assert cli("classify", "-", given=b"the\rold\tdog\n")[1].endswith("\tthe old dog\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "either a text or --file"),
        (("good", "--file", "lines.txt"), "either a text or --file"),
        (("rows.jsonl", "--field", "m"), "--field needs lines"),
    ],
)
def test_unclear_input_is_status_2(cli, arguments, message):
    status, output, errors = cli("classify", *arguments)
    assert (status, output) == (2, "")
    assert message in errors


def test_a_closed_pipe_ends_the_command_quietly(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("good\n" * 20_000)
    with subprocess.Popen([*COMMAND, "--file", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode != 0


def test_ctrl_c_is_status_130():
    # If the tests run as a background job of a shell, child processes ignore the signal by default.
    restoring = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", restoring, *COMMAND, "--line-buffered", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(b"good\n")
        process.stdin.flush()
        assert process.stdout.readline().endswith(b"good\n")
        process.send_signal(signal.SIGINT)  # while the command waits for the next line
        assert process.wait(timeout=120) == 130
        assert b"Traceback" not in process.stderr.read()
