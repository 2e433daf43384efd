"""The commands that use a finished model work with the packages of the base install alone."""

import json
import os
import subprocess
import sys

# Packages that only the extra `train` installs. With None in sys.modules, an import fails and find_spec finds nothing.
HEAVY = (
    "accelerate aif360 codecarbon datasets dvc dvclive faiss ftfy hydra jinja2 nlpaug nltk onnx pandas phonenumbers py3langid pyarrow "
    "ray rensa scipy sklearn stdnum torch transformers"
).split()
RUN = """
import contextlib, io, json, sys
hidden, commands = json.load(sys.stdin)
sys.modules.update(dict.fromkeys(hidden))
from compactlm.cli import main
for command in commands:
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
# The same for models of all kinds of task.
LIGHT_KINDS = {
    "classify dog --pair cat --task entailment": "yes",
    "classify --file lines.txt --task topics": "a dog by the river",
    "score --file lines.txt": "a dog by the river",
    "tag good --json": '"words"',
    "extract --question dog --context lines.txt": "(0.",
    "rerank dog --file lines.txt": "a dog by the river",
}
# Each command that needs the extra, and its exit status.
NEEDS_MORE = {
    "preset": 1,
    "summary": 1,
    "review": 2,
    "blind": 1,
    "blind score votes.json": 1,
    "blind judge": 1,
    "finetune lines.txt --text a --label b": 1,
    "classify good --backend torch": 1,
}


def run_commands(commands, model, directory, python, hidden, **environment):
    """Run commands with a Python that lacks the hidden packages. Return the exit status, the output and the errors of each."""
    (directory / "lines.txt").write_text("the film was good\na dog by the river\n")
    (directory / "faq.jsonl").write_text('{"question": "was the film good?", "answer": "very good"}\n')
    environment |= {"COMPACTLM_MODEL": str(model), "COMPACTLM_CACHE": str(directory / "cache")}
    given = json.dumps([hidden, list(commands)])
    done = subprocess.run([python, "-c", RUN], check=True, cwd=directory, env=environment, input=given, capture_output=True, text=True)
    return zip(commands, map(json.loads, done.stdout.splitlines()), strict=True)


def check_light_commands(export_root, student_root, *installation, **environment):
    """Check that the commands of a finished model work, and that all others name the extra that they need."""
    for command, (status, output, errors) in run_commands(LIGHT, export_root, *installation, **environment):
        assert status == 0, (command, errors)
        assert LIGHT[command] in output
    for command, (status, output, errors) in run_commands(NEEDS_MORE, student_root, *installation, **environment):
        assert (status, output, errors.count("\n")) == (NEEDS_MORE[command], "", 1), (command, errors)
        assert "pip install 'compactlm[train]'" in errors


def test_serve_names_its_extra(export_root, tmp_path):
    [(_, (status, output, errors))] = run_commands(
        ["serve"], export_root, tmp_path, sys.executable, [*HEAVY, "fastapi"], PYTHONPATH=os.pathsep.join(sys.path)
    )
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert "pip install 'compactlm[serve]'" in errors


def test_commands_need_only_the_base_install_or_name_the_extra(export_root, student_root, tmp_path):
    check_light_commands(export_root, student_root, tmp_path, sys.executable, HEAVY, PYTHONPATH=os.pathsep.join(sys.path))


def test_tasks_of_each_kind_need_only_the_base_install(heads_export, tmp_path):
    done = run_commands(LIGHT_KINDS, heads_export, tmp_path, sys.executable, HEAVY, PYTHONPATH=os.pathsep.join(sys.path))
    for command, (status, output, errors) in done:
        assert status == 0, (command, errors)
        assert LIGHT_KINDS[command] in output
