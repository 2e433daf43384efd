"""The figures of several seeds and presets in one file."""

import pytest
import yaml

from benchmarks import seeds
from benchmarks.seeds import add, embedding_table, embedding_values, main, table
from benchmarks.shapes.results import figures
from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.params import parse_params


def evaluated(student=0.8, words=0.12):
    task = {"teacher": 0.84, "student": student, "retention": student / 0.84, "retention_above_chance": (student - 0.5) / 0.34}
    mlm = {"teacher_top1": 0.15, "student_top1": words, "retention": words / 0.15}
    return {"tasks": {"sentiment": task}, "mlm": mlm, "size": {"student_parameters": 2_271_297, "ratio": 0.1}}


def test_runs_are_kept_by_preset_and_seed_in_order():
    kept = {}
    for preset, seed, student in (("quality", 9, 0.83), ("default", 18, 0.81), ("default", 9, 0.8), ("default", 18, 0.82)):
        kept = add(kept, preset, seed, figures(evaluated(student)))
    assert [(preset, list(runs)) for preset, runs in kept.items()] == [("default", ["9", "18"]), ("quality", ["9"])]
    assert kept["default"]["18"]["student"] == 0.82


def test_the_table_has_means_and_standard_deviations_over_seeds():
    kept = add(add({}, "default", 17, figures(evaluated(0.80))), "default", 18, figures(evaluated(0.82)))
    rows = [line.split(" | ") for line in table(add(kept, "quality", 17, figures(evaluated(0.83)))).splitlines() if line.startswith("| ")]
    found = {(row[0].strip("| "), row[1]): row[2:] for row in rows[2:]}
    assert found["default", "mean"][1] == "**81.0 %**"
    assert found["", "standard deviation"][1] == "1.4 %"
    assert [key for key in found if key[0] == "quality"] == [("quality", "17")]


def test_a_figure_that_one_seed_lacks_has_no_mean():
    unjudged = {**figures(evaluated()), "retention": None}
    kept = add(add({}, "default", 17, unjudged), "default", 18, figures(evaluated()))
    row = next(line for line in table(kept).splitlines() if "mean" in line)
    assert row.startswith("| default | mean | **84.0 %** | **80.0 %** | **not judged** | **88.2 %** |")


@pytest.fixture
def here(tmp_path, monkeypatch, default_params):
    """Return the parameters of a default run, and write its figures to the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(seeds, "check_current", lambda: None)
    artifacts.write_json(artifacts.METRICS / "evaluate.json", evaluated())
    return parse_params(yaml.safe_load(default_params))


def test_the_current_run_is_added_to_earlier_runs(here, tmp_path):
    before, report = {"quality": {"17": figures(evaluated(0.83))}}, tmp_path / "reports/seeds.json"
    artifacts.write_json(report, before)
    content = main(here)
    assert report.with_suffix(".md").read_text() == content
    assert artifacts.read_json(report) == {**before, here.preset: {str(here.seed): figures(evaluated())}}


def test_without_figures_the_error_names_the_command_to_run(here):
    (artifacts.METRICS / "evaluate.json").unlink()
    with pytest.raises(CompactLMError, match=r"evaluate\.json is missing; run `dvc repro` first"):
        main(here)


def test_the_sentence_embeddings_of_several_seeds_have_means_and_deviations():
    def embedding(student):
        found = {"student": {"found_at_1": {"value": student, "status": 0}, "spearman": {"value": 0.7, "status": 0}}}
        return {"embedding": {**found, "teacher": {"found_at_1": {"value": 0.9, "status": 0}}, "context": {}}}

    runs = {seed: {**figures(evaluated(0.8)), **embedding_values(embedding(value))} for seed, value in ((17, 0.7), (18, 0.8))}
    kept = add(add({}, "default", 17, runs[17]), "default", 18, runs[18])
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in embedding_table(kept).splitlines() if line.startswith("| default")]
    assert len(lines) == 2
    assert lines[0].startswith("| default | teacher | 2 | 90.0 % ± 0.0 % |")
    assert lines[1].startswith("| default | student | 2 | 75.0 % ± 7.1 % |")
    assert "0.700 ± 0.000" in lines[1]
    assert embedding_values({}) == {}
    assert embedding_table(add({}, "default", 17, figures(evaluated()))) == ""
