"""Training times, exported models and ablations on the page."""

import dataclasses

import pytest

from compactlm.figures.figure import Figure
from compactlm.report.sections.cost import cost, machine
from compactlm.report.sections.training import ablations, end_rows
from tests.fixtures.made_up_run import with_stages


def times(found):
    """Return the time of each phase by its name on the page."""
    [table] = [block for block in machine(found).blocks if getattr(block, "caption", "") == "Time of training"]
    return {row[0]: row[1] for row in table.rows}


def test_a_resumed_phase_names_its_step(found):
    stage, name = found.timings["distill-train"], "distill-train, general"
    plain = times(found)[name]
    for step, expected in ((0, plain), (7, f"{plain} since it resumed from step 7")):
        phases = {**stage, "general": {**stage["general"], "resumed_from_step": step}}
        changed = dataclasses.replace(found, timings={**found.timings, "distill-train": phases})
        assert times(changed) == {**times(found), name: expected}


@pytest.mark.parametrize("rows", [29, 30])
def test_int8_on_few_rows_is_not_judged(found, rows):
    one = {**found.metrics["export"]["sentiment"], "int8": {"bytes": 9, "agreement": Figure.over_rows(0.9, rows)}}
    [cell] = [row[-1] for row in cost(with_stages(found, export={"sentiment": one})).blocks[-1].cells()]
    assert cell.text.startswith("agreement 0.9")
    assert ("not judged" in cell.text) is (cell.mark == "weak") is (rows < 30)


def test_validation_figures_of_few_rows_are_not_judged(found):
    figures = {"loss": 0.5, "validation_top1": Figure.over_rows(0.25, 9), "validation_accuracy": Figure.over_rows(0.5, 90)}
    rows = end_rows(with_stages(found, distill_train={"general": figures}))
    assert [row[:2] for row in rows] == [["general", "loss"], ["general", "validation top1"], ["general", "validation accuracy"]]
    assert ["not judged" in row[2] for row in rows] == [False, True, False]


def test_ablations_show_only_validation_figures(found):
    figures = {"loss": 0.5, "validation_accuracy": 0.5, "validation_accuracy_judged": 1, "seconds": 9.0}
    changed = dataclasses.replace(found, ablations={"17": {"general": {"as it is": figures}}})
    assert ablations(changed).blocks[0].head == ["variant", "validation accuracy"]
