"""What each mitigation does to the student, collected from made-up results of experiments."""

from __future__ import annotations

import json

import pytest

from benchmarks.mitigation import LISTED, collect, experiments, main, read_listed
from benchmarks.shapes.mitigations import check_teacher, summarise, table, write
from benchmarks.shapes.results import DISTILLED, EVALUATED, TAUGHT
from compactlm.errors import CompactLMError


def estimate(value, half=0.1):
    return {"value": value, "low": value - half, "high": value + half}


def flat(**values):
    return {f"{role}{end}": value + add for role, value in values.items() for end, add in (("", 0), ("_low", -0.1), ("_high", 0.1))}


def evaluated(student=0.8, teacher=0.84, impact=1.2, judged=1):
    pair = {
        figure: {"judged": 1, **flat(teacher=0.1, student=0.05)}
        for figure in ("statistical_parity_difference", "equal_opportunity_difference")
    }
    pair |= {"disparate_impact": {"judged": 1, **flat(teacher=1.3, student=impact)}, "average_odds_difference": {"judged": 0}}
    audit = {
        "rows": {"women_only": 53},
        "accuracy": {},
        "women_to_men": pair,
        "counterfactual": {"judged": 1, "rows": 200, "flips": flat(teacher=0.01, student=0.02)},
    }
    quality = {"judged": judged, "teacher": {"accuracy": estimate(teacher)}, "student": {"accuracy": estimate(student)}}
    stereotypes = {"gender": {"judged": 1, "pairs": 200, "log_odds_gap": flat(teacher=0.16, student=0.04)}}
    return {
        "tasks": {"sentiment": {"quality": quality}},
        "fairness": {"tasks": {"sentiment": {"gender": audit}}, "stereotypes": stereotypes},
    }


def shown(**found):
    def one(name, metrics):
        files = {EVALUATED: {"data": metrics}, DISTILLED: {"data": {}}, TAUGHT: {"data": {}}}
        return {"name": name, "revs": [{"rev": f"rev-{name}", "data": {"metrics": files}}], "executor": None}

    return [{"rev": "0123", "experiments": [one(f"mitigation-{name}", metrics) for name, metrics in found.items()]}]


NAMES = ["mitigation-none", "mitigation-both"]


def test_all_that_a_mitigation_may_move_is_collected_with_intervals():
    found = collect(NAMES, shown(none=evaluated(), both=evaluated(0.79, impact=1.02)))
    assert list(found) == ["none", "both"]
    assert found["both"]["sentiment, accuracy"]["student"] == pytest.approx(estimate(0.79))
    impact = found["both"]["sentiment, gender, women to men, disparate impact"]
    assert impact["student"] == pytest.approx(estimate(1.02))
    assert impact["teacher"] == pytest.approx(estimate(1.3))
    assert found["none"]["sentiment, gender, women to men, average odds difference"] == {"teacher": {}, "student": {}}
    assert found["none"]["sentiment, gender, counterfactual flips"]["student"]["value"] == pytest.approx(0.02)
    assert found["none"]["masked words, gender, stereotype log odds gap"]["teacher"]["value"] == pytest.approx(0.16)


def test_the_table_holds_students_side_by_side(tmp_path):
    found = {"none": summarise(evaluated()), "both": summarise(evaluated(0.79, impact=1.02, judged=1))}
    text = write(tmp_path / "mitigation", found, ["seed=3"])
    assert text == (tmp_path / "mitigation/mitigation.md").read_text()
    assert "| figure | teacher | student, none | student, both |" in text
    assert "disparate impact | 1.300 (1.200 to 1.400) | 1.200 (1.100 to 1.300) | 1.020 (0.920 to 1.120) |" in text
    assert "average odds difference | not judged | not judged | not judged |" in text
    assert "Otherwise than the default: seed=3." in text
    written = json.loads((tmp_path / "mitigation/mitigation.json").read_text())
    assert written["overrides"] == ["seed=3"]
    assert written["mitigations"]["both"]["sentiment, accuracy"]["student"]["value"] == 0.79


def test_what_is_missing_is_said(capsys):
    found = collect(NAMES, shown(none=evaluated()))
    assert list(found) == ["none"]
    assert "mitigation-both gave no result; what happened: dvc queue logs mitigation-both" in capsys.readouterr().err
    assert len(table(found).splitlines()) == 2 + len(found["none"])
    with pytest.raises(CompactLMError, match="no mitigation has a result"):
        collect(NAMES, shown())


def test_students_of_different_teachers_are_not_compared():
    check_teacher({"none": summarise(evaluated()), "both": summarise(evaluated(0.7))})
    with pytest.raises(CompactLMError, match="the teachers of none and both differ"):
        check_teacher({"none": summarise(evaluated()), "both": summarise(evaluated(teacher=0.83))})


def test_an_experiment_differs_from_the_others_in_its_mitigation_alone():
    found = experiments(read_listed(), ["seed=18"])
    assert list(found) == [f"mitigation-{name}" for name in ("none", "reweighing", "counterfactual", "both")]
    assert {tuple(overrides[:-1]) for overrides in found.values()} == {(*read_listed().overrides, "seed=18")}
    assert found["mitigation-both"][-1] == "bias_audit.mitigation=both"
    with pytest.raises(CompactLMError, match="the command line has 'seed', which sets no value"):
        experiments(read_listed(), ["seed"])


def test_a_list_that_cannot_be_used_is_refused(tmp_path):
    path = tmp_path / "mitigation.yaml"
    with pytest.raises(CompactLMError, match="is missing"):
        read_listed(path)
    path.write_text(LISTED.read_text().replace("both]", "prayer]"))
    with pytest.raises(CompactLMError, match=r"cannot be used .*correct it there"):
        read_listed(path)


def test_help(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "make mitigation" in capsys.readouterr().out
