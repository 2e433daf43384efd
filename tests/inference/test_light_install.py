"""The commands that use a finished model work with the packages of the base install alone."""

import json
import os
import subprocess
import sys

import pytest

# Packages that only the extra `train` installs. With None in sys.modules, an import fails and find_spec finds nothing.
HEAVY = (
    "accelerate aif360 codecarbon datasets dvc dvclive faiss ftfy hydra jinja2 nlpaug nltk onnx pandas phonenumbers py3langid pyarrow "
    "ray rensa scipy sklearn stdnum torch transformers"
).split()
RUN = f"""
import contextlib, io, json, sys
sys.modules.update(dict.fromkeys({HEAVY}))
from compactlm.cli import main
for command in json.load(sys.stdin):
    sys.argv[1:], output, errors = command.split(), io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            main()
        except SystemExit as end:
            print(json.dumps([end.code or 0, output.getvalue(), errors.getvalue()]), file=sys.__stdout__)
"""
# Each command, and a part of its output.
LIGHT = {
    "--help": "classify",
    "--version": "compactlm",
    "fill --help": "MASK",
    "classify good --json": '"probabilities"',
    "classify --file lines.txt": "a dog by the river",
    "fill [MASK]": "%",
    "inspect good": "good",
    "check lines.txt": "tokens",
    "embed good": "0.",
    "compare good bad": "similarity",
    "similar good --file lines.txt": "river",
    "similar good --top 2": "0.",
    "answer --knowledge faq.jsonl film?": "(0.",
    "chat --knowledge faq.jsonl": "",
    "summarize lines.txt": "film",
    "complete film -n 2": "film",
}
# Each command that needs the extra, and its exit status.
NEEDS_MORE = {
    "preset": 1,
    "summary": 1,
    "review": 2,
    "finetune lines.txt --text a --label b": 1,
    "classify good --backend torch": 1,
}


@pytest.fixture
def light(tmp_path):
    """Run commands without the heavy packages; return the exit status, the output and the errors of each."""
    (tmp_path / "lines.txt").write_text("the film was good\na dog by the river\n")
    (tmp_path / "faq.jsonl").write_text('{"question": "was the film good?", "answer": "very good"}\n')

    def run(model, commands):
        environment = {"COMPACTLM_MODEL": str(model), "COMPACTLM_CACHE": str(tmp_path / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)}
        command, given = [sys.executable, "-c", RUN], json.dumps(list(commands))
        done = subprocess.run(command, check=True, cwd=tmp_path, env=environment, input=given, capture_output=True, text=True)
        return zip(commands, map(json.loads, done.stdout.splitlines()), strict=True)

    return run


def test_the_commands_of_a_finished_model_need_only_the_base_install(light, export_root):
    for command, (status, output, errors) in light(export_root, LIGHT):
        assert status == 0, (command, errors)
        assert LIGHT[command] in output


def test_a_command_that_needs_more_names_the_extra(light, student_root):
    for command, (status, output, errors) in light(student_root, NEEDS_MORE):
        assert (status, output, errors.count("\n")) == (NEEDS_MORE[command], "", 1), (command, errors)
        assert "pip install 'compactlm[train]'" in errors
