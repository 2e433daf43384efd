"""The page's section of students under each mitigation, from made-up results in the form that `make mitigation` writes."""

import copy
import dataclasses

import pytest

from benchmarks.shapes.mitigations import write
from compactlm.artifacts import MITIGATION
from compactlm.report.blocks import Cell, Chart, Table, Text
from compactlm.report.findings import read_folder
from compactlm.report.sections.mitigation import mitigation

IMPACT = "sentiment, gender, women to men, disparate impact"
ACCURACY = "sentiment, accuracy"


def estimate(value):
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


@pytest.fixture
def results(found):
    """A function that gives the findings with other values of the students, by mitigation and figure."""

    def change(**students):
        content = copy.deepcopy(dict(found.mitigation))
        for name, figures in students.items():
            for figure, value in figures.items():
                content["mitigations"][name][figure]["student"] = {} if value is None else estimate(value)
        return dataclasses.replace(found, mitigation=content)

    return change


def of_kind(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def test_students_stand_side_by_side_as_the_command_writes_them(results, tmp_path):
    changed = results(none={IMPACT: 1.2, ACCURACY: 0.8}, counterfactual={IMPACT: 1.02, ACCURACY: 0.79})
    students = {name: changed.mitigation["mitigations"][name] for name in ("both", "none", "counterfactual")}
    write(tmp_path / MITIGATION, students, ["seed=3"])
    read = read_folder(tmp_path / MITIGATION)["mitigation"]
    section = mitigation(dataclasses.replace(changed, mitigation=read))
    [table] = of_kind(section, Table)
    assert table.head == ["figure", "teacher", "student, no mitigation", "student, counterfactual", "student, both"]
    rows = {row[0]: [cell.text if isinstance(cell, Cell) else cell for cell in row[2:4]] for row in table.rows}
    assert rows[IMPACT] == ["1.200 (1.100 to 1.300)", "1.020 (0.920 to 1.120)"]
    assert rows[ACCURACY] == ["80.0\u00a0% (70.0 to 90.0)", "79.0\u00a0% (69.0 to 89.0)"]
    assert table.rows[0][0] == ACCURACY
    assert "masked words, gender, stereotype log odds gap" in rows
    assert f"seed 3 (here {changed.params.seed})" in section.lead


def test_the_effect_is_told_against_no_mitigation(results):
    section = mitigation(results(none={IMPACT: 1.2, ACCURACY: 0.8}, reweighing={IMPACT: 1.1, ACCURACY: 0.8}, both={IMPACT: None}))
    told = [block.text for block in of_kind(section, Text)]
    assert [sentence.partition(":")[0] for sentence in told] == ["Reweighing", "Counterfactual"]
    assert told[0].endswith("(gender, women to men) is 1.100, and 1.200 without mitigation; accuracy changes by +0.0 points.")


def test_what_was_not_judged_is_marked(results):
    [table] = of_kind(mitigation(results(both={IMPACT: None})), Table)
    [row] = [row for row in table.rows if row[0] == IMPACT]
    assert row[-1] == Cell("not judged", "weak")


def test_differences_between_groups_are_drawn_for_every_student(results):
    [chart] = of_kind(mitigation(results()), Chart)
    assert "sentiment, gender" in chart.caption
    for name in ("no mitigation", "reweighing", "counterfactual", "both", "women to men: equal opportunity difference"):
        assert f">{name}<" in chart.svg


def test_students_of_another_teacher_are_not_shown(results, found):
    assert mitigation(dataclasses.replace(found, mitigation={})) is None
    changed = results()
    changed.mitigation["mitigations"]["both"][ACCURACY]["teacher"]["value"] += 0.01
    assert mitigation(changed) is None
    del changed.mitigation["mitigations"]["both"][ACCURACY]
    assert mitigation(changed) is None
