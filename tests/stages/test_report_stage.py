"""The stage report on tiny models. It gives the same files twice and runs its examples."""

import re
import shutil
from pathlib import Path

import pytest

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.figures.figure import write_figures
from compactlm.report.card.snippets import Snippet, run_snippets
from compactlm.stages import report
from tests.fixtures.made_up_run import all_rows, build

WRITTEN = ("reports/index.html", "reports/model-card.md", "models/student/README.md")


@pytest.fixture
def params(build_params):
    return build_params(threads=1, tokenize={"maximum_length": 48})


@pytest.fixture
def workspace(tmp_path, monkeypatch, params, student_root, export_root):
    """A project in which all stages before the report have run."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(student_root, artifacts.STUDENT)
    shutil.copytree(export_root, artifacts.EXPORT)
    test = all_rows()
    found = build(params, test)
    artifacts.write_documents(artifacts.SPLIT / "test", test)
    answers = found.answers["sentiment"]
    labels = params.tasks["sentiment"].labels
    rows = [
        {"id": name, "task": "sentiment", "label": labels[label]}
        | {role: answers.probabilities[role][at].tolist() for role in ("teacher", "student")}
        for at, (name, label) in enumerate(zip(answers.ids, answers.expected, strict=True))
    ]
    artifacts.write_table(artifacts.PREDICTIONS, rows, artifacts.PREDICTION_SCHEMA)
    for directory, files in ((artifacts.METRICS, found.metrics), (artifacts.TIMINGS, found.timings)):
        for name, content in files.items():
            artifacts.write_json(directory / f"{name}.json", write_figures(content))
    for phase, losses in found.curves.items():
        for name, points in losses.items():
            artifacts.write_rows_as_tsv(artifacts.CURVES / phase / "plots" / "metrics" / f"{name}.tsv", ("step", name), points)
    return tmp_path


@pytest.mark.slow
def test_two_runs_write_the_same_page_card_and_plots(workspace, params):
    def run():
        report.main(params)
        plots = sorted((workspace / "reports/plots/report").rglob("*.tsv"))
        return {path.relative_to(workspace): path.read_bytes() for path in [*(workspace / name for name in WRITTEN), *plots]}

    written = run()
    assert run() == written
    assert written[Path("reports/model-card.md")] == written[Path("models/student/README.md")]
    card = written[Path("reports/model-card.md")].decode()
    printed = re.findall(r"```text\n(.*?)\n```", card, re.DOTALL)
    assert len(printed) == 4
    assert all(re.fullmatch(r"(negative|positive) 0\.\d+", line) for line in printed[0].splitlines())
    assert len(printed[1].splitlines()) == 5
    plots = {
        path.stem: [line.split("\t") for line in text.decode().splitlines()] for path, text in written.items() if path.suffix == ".tsv"
    }
    assert {name: len(lines) for name, lines in plots.items() if name in ("confusion", "robustness", "sizes")} == {
        "confusion": 1 + 2 * 4,
        "robustness": 1 + 2 * 4,
        "sizes": 1 + 2,
    }
    assert all({len(line) for line in lines} == {len(lines[0])} and lines[0][:2] == ["task", "series"] for lines in plots.values())
    assert ["all tasks", "with copies", "self-BLEU", "0.25"] in plots["diversity"]
    assert sum(int(line[4]) for line in plots["confusion"][1:]) == 2 * 240
    assert {line[2] for line in plots["data-fairness"][1:]} == {"gender, women to men"}
    assert any(line[2] == "equal opportunity difference: gender, women to men" for line in plots["fairness"])
    assert {line[0] for line in plots["losses"][1:]} == {"general", "sentiment"}
    # Points with fewer than 30 rows are not shown.
    assert all(int(line[4]) >= 30 for line in plots["reliability"][1:] if line[1] != "ideal")


def test_a_failed_gate_ends_the_stage_after_the_page_is_written(workspace, params, monkeypatch):
    monkeypatch.setattr(report, "run_snippets", lambda examples, threads: [Snippet(title, code, "") for title, code in examples])
    gate = params.bias_audit.gate.model_copy(update={"on_violation": "fail"})
    strict = params.model_copy(update={"bias_audit": params.bias_audit.model_copy(update={"gate": gate})})
    with pytest.raises(CompactLMError, match=r"Model gate: violated .*counterfactual, flips.*see reports/index\.html"):
        report.main(strict)
    assert "the model gate is violated" in (workspace / "reports/index.html").read_text().lower()


def test_an_example_that_fails_ends_the_stage(workspace, params, monkeypatch):
    def run_light(examples, threads):  # the other examples start torch and run in the test above
        if "without torch" in examples[0][0]:
            return run_snippets(examples, threads)
        return [Snippet(title, code, "") for title, code in examples]

    monkeypatch.setattr(report, "run_snippets", run_light)
    (workspace / "models/export/sentiment/onnx/model.onnx").write_bytes(b"torn")
    with pytest.raises(CompactLMError, match=r"example 'Classify without torch.*failed"):
        report.main(params)
    assert not (workspace / "reports/index.html").exists()


def test_examples_of_one_process_have_names_of_their_own_and_a_failure_names_its_example():
    shown = run_snippets([("first", "x = 1\nprint(x, 'ä')"), ("second", "print('x' in globals())")], 1)
    assert [(one.title, one.output) for one in shown] == [("first", "1 ä"), ("second", "False")]
    with pytest.raises(CompactLMError, match=r"^the example 'second' of the model card failed \(ZeroDivisionError: .*\); run `dvc repro`"):
        run_snippets([("first", "print()"), ("second", "1 / 0"), ("third", "print()")], 1)
