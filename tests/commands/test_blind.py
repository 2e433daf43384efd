import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from compactlm import artifacts
from compactlm.blind.pairs import Key
from tests.blind.voting import save, vote
from tests.fixtures.builders import make_row
from tests.fixtures.compared import two_models

ROWS = 120


def write_run(params, teacher="teacher"):
    """The files of a run that the commands read, in the current directory."""
    answers = two_models(ROWS)
    labels = ("negative", "positive")
    rows = [make_row(name, f"text {name}", label=labels[label]) for name, label in zip(answers.ids, answers.expected, strict=True)]
    artifacts.write_documents(artifacts.SPLIT / "test", rows)
    said = [
        {"id": row.id, "task": "sentiment", "label": row.label}
        | {"teacher": answers.probabilities[teacher][at].tolist(), "student": answers.probabilities["student"][at].tolist()}
        for at, row in enumerate(rows)
    ]
    artifacts.write_table(artifacts.PREDICTIONS, said, artifacts.PREDICTION_SCHEMA)
    Path("params.yaml").write_text(params, encoding="utf-8")
    return answers


@pytest.fixture
def run(default_params, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_run(default_params)


def test_a_page_is_judged_and_scored(run, cli, tmp_path):
    status, output, errors = cli("blind", "--pairs", "12", "--repeats", "3", "--margin", "0.2")
    assert status == 0
    assert "too few for this margin" in errors
    assert "12 pairs, 3 of them twice" in output
    key = Key.model_validate(artifacts.read_json(tmp_path / "blind/key.json"))
    assert (key.margin, len(key.pairs)) == (0.2, 15)
    assert key.page in (tmp_path / "blind/index.html").read_text()
    assert 'teacher"' not in (tmp_path / "blind/index.html").read_text().split('id="content">')[1].split("</script>")[0]
    votes = [save(tmp_path, vote(key, lambda at: "student", lambda at: "teacher", judge)) for judge in ("ann", "bo")]
    found = json.loads(cli("blind", "score", "--json", *votes)[1])
    assert (found["right"]["share"]["value"], found["right"]["share"]["rows"]) == (1.0, 12)
    assert found["teacher"]["self_agreement"]["bo"]["value"] == 1.0
    status, output, _ = cli("blind", "score", *votes)
    assert (status, output.count("told apart")) == (0, 2)


def test_tasks_without_one_label_a_text_are_left_out(run, cli, tmp_path):
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["tasks"]["rating"] = {"sources": ["amazon_reviews"], "kind": "regression"}
    content["signals"]["task"]["unlabelled"] = []
    Path("params.yaml").write_text(yaml.safe_dump(content))
    test = artifacts.read_documents(artifacts.SPLIT / "test")
    rated = make_row("rated", "a rated text", label="3", task="rating", score=3.0)
    artifacts.write_documents(artifacts.SPLIT / "test", [*test, rated])
    said = artifacts.read_table(artifacts.PREDICTIONS).to_pylist()
    said.append({"id": "rated", "task": "rating", "label": "3", "teacher": [3.1], "student": [2.9]})
    artifacts.write_table(artifacts.PREDICTIONS, said, artifacts.PREDICTION_SCHEMA)
    status, _, said = cli("blind", "--pairs", "12")
    assert status == 0, said
    key = Key.model_validate(artifacts.read_json(tmp_path / "blind/key.json"))
    assert {place.task for place in key.pairs} == {"sentiment"}
    status, _, said = cli("blind", "judge", "--task", "rating")
    assert (status, "the task rating does not give one label a text" in said) == (1, True)


def test_equal_seeds_give_equal_files(run, cli, tmp_path):
    for name in ("one", "two"):
        assert cli("blind", "--seed", "3", "--output", name)[0] == 0
    for file in ("index.html", "key.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_classifier_judges_each_task(run, cli):
    status, output, _ = cli("blind", "judge", "--json")
    found = json.loads(output)["sentiment"]
    assert status == 0
    assert found["rows"] == ROWS
    assert cli("blind", "judge")[1].startswith(f"sentiment: area under the ROC curve {found['auc']:.3f} on {ROWS} test rows")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--margin", "0.5"], "below 0.5"),
        (["--margin", "nan"], "below 0.5"),
        (["--task", "topics"], "no task 'topics'"),
        (["score", "none.json"], "key.json is missing"),
    ],
)
def test_mistakes_are_one_sentence(run, cli, arguments, message):
    status, _, errors = cli("blind", *arguments)
    assert (status, errors.count("\n")) == (1, 1)
    assert message in errors


def test_a_run_without_predictions_or_with_other_rows_is_one_sentence(run, cli, default_params):
    artifacts.write_documents(artifacts.SPLIT / "test", [make_row("row0001")])
    status, _, errors = cli("blind")
    assert (status, errors.count("\n")) == (1, 1)
    assert "another test split" in errors
    (artifacts.PREDICTIONS / "part-00000.parquet").unlink()
    status, _, errors = cli("blind", "judge")
    assert (status, errors.count("\n")) == (1, 1)
    assert "dvc repro evaluate" in errors


def test_models_that_never_differ_are_one_sentence(default_params, tmp_path, monkeypatch, cli):
    monkeypatch.chdir(tmp_path)
    write_run(default_params, teacher="student")
    assert "nothing to compare" in cli("blind")[2]


@pytest.mark.slow
def test_no_torch_is_imported(run, tmp_path):
    script = (
        "import sys; from compactlm.commands.app import app\n"
        "app(standalone_mode=False)\nassert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    for arguments in (["blind"], ["blind", "judge"]):
        subprocess.run([sys.executable, "-c", script, *arguments], check=True, cwd=tmp_path)
