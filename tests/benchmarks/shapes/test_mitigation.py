"""The comparison of bias mitigations, from made-up results of experiments."""

import copy
import json

import pytest
import yaml

from benchmarks.mitigation import LISTED, Mitigations, collect, experiments, main
from benchmarks.shapes.config import read_listed
from benchmarks.shapes.mitigations import check_teacher, summarise, table, write
from benchmarks.shapes.results import DISTILLED, EVALUATED, TAUGHT
from compactlm.errors import CompactLMError
from compactlm.figures.figure import Figure, write_figures
from compactlm.params import parse_params
from tests.fixtures.made_up_run import all_rows, build


@pytest.fixture(scope="module")
def evaluated(default_params):
    """Return a function that builds evaluate.json of a made-up run from accuracies and the student's disparate impact."""
    content = build(parse_params(yaml.safe_load(default_params)), all_rows()).metrics["evaluate"]

    def change(student=0.8, teacher=0.84, impact=1.2):
        found = copy.deepcopy(write_figures(content))
        for role, value in (("student", student), ("teacher", teacher)):
            found["tasks"]["sentiment"]["quality"][role]["accuracy"] = figure(value)
        pair = found["fairness"]["tasks"]["sentiment"]["gender"]["pairs"]["women_to_men"]
        pair["disparate_impact"] |= {"student": figure(impact), "teacher": figure(1.3)}
        pair["average_odds_difference"] = dict.fromkeys(("teacher", "student"), Figure.measured(None).to_json())
        return found

    return change


def figure(value):
    return Figure.measured(value, value - 0.1, value + 0.1).to_json()


def shown(**found):
    def one(name, metrics):
        files = {EVALUATED: {"data": metrics}, DISTILLED: {"data": {}}, TAUGHT: {"data": {}}}
        return {"name": name, "revs": [{"rev": f"rev-{name}", "data": {"metrics": files}}], "executor": None}

    return [{"rev": "0123", "experiments": [one(f"mitigation-{name}", metrics) for name, metrics in found.items()]}]


NAMES = ["mitigation-none", "mitigation-both"]


def test_figures_that_a_mitigation_may_change_are_collected(evaluated):
    found = collect(NAMES, shown(none=evaluated(), both=evaluated(0.79, impact=1.02)))
    assert list(found) == ["none", "both"]
    both = {one.name: one for one in found["both"]}
    assert both["sentiment, accuracy"].student.to_json() == figure(0.79)
    impact = both["sentiment, gender, women to men, disparate impact"]
    assert (impact.student.to_json(), impact.teacher.to_json()) == (figure(1.02), figure(1.3))
    assert not both["sentiment, gender, women to men, average odds difference"].student.judged
    assert {"sentiment, gender, counterfactual flips", "masked words, gender, stereotype log odds gap"} < set(both)


def test_the_table_shows_students_side_by_side(tmp_path, evaluated):
    found = {"none": summarise(evaluated()), "both": summarise(evaluated(0.79, impact=1.02))}
    text = write(tmp_path / "mitigation", found, ["seed=3"])
    assert text == (tmp_path / "mitigation/mitigation.md").read_text()
    assert "| figure | teacher | student, none | student, both |" in text
    assert "disparate impact | 1.300 (1.200 to 1.400) | 1.200 (1.100 to 1.300) | 1.020 (0.920 to 1.120) |" in text
    assert "average odds difference | not judged | not judged | not judged |" in text
    written = json.loads((tmp_path / "mitigation/mitigation.json").read_text())
    assert written["overrides"] == ["seed=3"]
    assert written["mitigations"]["both"] == [one.to_json() for one in found["both"]]


def test_missing_experiments_are_named(capsys, evaluated):
    found = collect(NAMES, shown(none=evaluated()))
    assert list(found) == ["none"]
    assert "dvc queue logs mitigation-both" in capsys.readouterr().err
    assert len(table(found).splitlines()) == 2 + len(found["none"])
    with pytest.raises(CompactLMError, match="no mitigation has a result"):
        collect(NAMES, shown())


def test_students_of_different_teachers_are_not_compared(evaluated):
    check_teacher({"none": summarise(evaluated()), "both": summarise(evaluated(0.7))})
    with pytest.raises(CompactLMError, match="none and both"):
        check_teacher({"none": summarise(evaluated()), "both": summarise(evaluated(teacher=0.83))})


def test_experiments_differ_only_in_their_mitigation():
    listed = read_listed(Mitigations, LISTED)
    found = experiments(listed, ["seed=18"])
    assert list(found) == [f"mitigation-{name}" for name in ("none", "reweighing", "counterfactual", "both")]
    assert {tuple(overrides[:-1]) for overrides in found.values()} == {(*listed.overrides, "seed=18")}
    assert found["mitigation-both"][-1] == "bias_audit.mitigation=both"
    with pytest.raises(CompactLMError, match="the command line has 'seed', which sets no value"):
        experiments(listed, ["seed"])


def test_an_unknown_mitigation_is_refused(tmp_path):
    path = tmp_path / "mitigation.yaml"
    path.write_text(LISTED.read_text().replace("both]", "prayer]"))
    with pytest.raises(CompactLMError, match=r"mitigation\.yaml: mitigations\.3 is 'prayer'"):
        read_listed(Mitigations, path)


def test_the_help_names_the_make_target(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "make mitigation" in capsys.readouterr().out
