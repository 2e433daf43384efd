"""The section of students under each mitigation, from made-up results of `make mitigation`."""

import copy
import dataclasses

import pytest

from benchmarks.shapes.mitigations import write
from compactlm.artifacts import MITIGATION
from compactlm.errors import CompactLMError
from compactlm.figures.figure import Figure, read_figures
from compactlm.report.blocks import Chart, Table, Text
from compactlm.report.findings import read_folder
from compactlm.report.sections.mitigation import Compared, mitigation

IMPACT, ACCURACY = "disparate_impact", "accuracy"
IMPACT_NAME = "sentiment, gender, women to men, disparate impact"


@pytest.fixture
def results(found):
    """Return a function that changes the students' values in the findings, by mitigation and figure."""

    def change(**students):
        content = copy.deepcopy(dict(found.mitigation))
        for name, values in students.items():
            for row in content["mitigations"][name]:
                if row["figure"] in values:
                    value = values[row["figure"]]
                    row["student"] = Figure.measured(value, value and value - 0.1, value and value + 0.1).to_json()
        return dataclasses.replace(found, mitigation=content)

    return change


def of_kind(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def test_students_are_shown_side_by_side(results, tmp_path):
    changed = results(none={IMPACT: 1.2, ACCURACY: 0.8}, counterfactual={IMPACT: 1.02, ACCURACY: 0.79})
    rows = {name: changed.mitigation["mitigations"][name] for name in ("both", "none", "counterfactual")}
    write(tmp_path / MITIGATION, {name: [Compared(**read_figures(row)) for row in one] for name, one in rows.items()}, ["seed=3"])
    read = read_folder(tmp_path / MITIGATION)["mitigation"]
    section = mitigation(dataclasses.replace(changed, mitigation=read))
    [table] = of_kind(section, Table)
    assert table.head == ["figure", "teacher", "student, no mitigation", "student, counterfactual", "student, both"]
    shown = {row[0].text: [cell.text for cell in row[2:4]] for row in table.cells()}
    assert shown[IMPACT_NAME] == ["1.200 (1.100 to 1.300)", "1.020 (0.920 to 1.120)"]
    assert shown["sentiment, accuracy"] == ["80.0\u00a0% (70.0 to 90.0)", "79.0\u00a0% (69.0 to 89.0)"]
    assert table.rows[0][0] == "sentiment, accuracy"
    assert "masked words, gender, stereotype log odds gap" in shown
    assert f"seed 3 (here {changed.params.seed})" in section.lead


def test_the_effect_is_compared_with_no_mitigation(results):
    section = mitigation(results(none={IMPACT: 1.2, ACCURACY: 0.8}, reweighing={IMPACT: 1.1, ACCURACY: 0.8}, both={IMPACT: None}))
    sentences = [block.text for block in of_kind(section, Text)]
    assert [sentence.partition(":")[0] for sentence in sentences] == ["Reweighing", "Counterfactual"]
    assert all(fact in sentences[0] for fact in ("gender, women to men", "1.100", "1.200", "+0.0 points"))


def test_figures_that_are_not_judged_say_so(results):
    [table] = of_kind(mitigation(results(both={IMPACT: None})), Table)
    [row] = [row for row in table.cells() if row[0].text == IMPACT_NAME]
    assert "not judged" in row[-1].text


def test_differences_between_groups_are_drawn_for_every_student(results):
    [chart] = of_kind(mitigation(results()), Chart)
    assert "sentiment, gender" in chart.caption
    for name in ("no mitigation", "reweighing", "counterfactual", "both", "women to men: equal opportunity difference"):
        assert f">{name}<" in chart.svg


def test_students_of_another_teacher_are_not_shown(results, found):
    assert mitigation(dataclasses.replace(found, mitigation={})) is None
    changed = results()
    rows = changed.mitigation["mitigations"]["both"]
    [accuracy] = [row for row in rows if row["figure"] == ACCURACY]
    accuracy["teacher"] = {**accuracy["teacher"], "value": accuracy["teacher"]["value"] + 0.01}
    assert mitigation(changed) is None
    rows.remove(accuracy)
    assert mitigation(changed) is None


def test_a_file_of_an_older_version_is_refused(found):
    old = {"overrides": [], "mitigations": {"none": {"sentiment, accuracy": {}}}}
    with pytest.raises(CompactLMError, match=r"mitigation\.json.*make mitigation"):
        mitigation(dataclasses.replace(found, mitigation=old))
