"""What the page says of training times and of exported models."""

import dataclasses

from compactlm.figures.numbers import TOO_FEW
from compactlm.report.sections.cost import cost, machine
from compactlm.report.sections.training import ablations, end_rows


def times(found):
    """The time of each phase, by its name on the page."""
    tables = [block for block in machine(found).blocks if getattr(block, "caption", "") == "Time of training"]
    return {row[0]: row[1] for row in tables[0].rows}


def test_the_time_of_a_phase_that_was_resumed_says_so(found):
    stage = found.timings["distill-train"]
    general = stage["general"]
    name = "distill-train, general"
    plain = times(found)[name]
    for step, expected in ((0, plain), (7, f"{plain} since it was resumed from step 7")):
        phases = {**stage, "general": {**general, "resumed_from_step": step}}
        changed = dataclasses.replace(found, timings={**found.timings, "distill-train": phases})
        assert times(changed) == {**times(found), name: expected}


def of_stage(found, name, content):
    return dataclasses.replace(found, metrics={**found.metrics, name: content})


def test_what_int8_loses_on_few_rows_is_marked(found):
    def told(one):
        [cell] = [row[-1] for row in cost(of_stage(found, "export", {"sentiment": one})).blocks[-1].cells()]
        return cell

    one = found.metrics["export"]["sentiment"]
    assert TOO_FEW not in told(one).text
    few = told({**one, "rows": 29, "judged": 0})
    assert few.text == f"{told(one).text}; {TOO_FEW}"
    assert few.mark == "weak"


def test_validation_figures_of_few_rows_are_marked_and_marks_are_no_figures(found):
    figures = {
        "loss": 0.5,
        "validation_top1": 0.25,
        "validation_top1_judged": 0,
        "validation_accuracy": 0.5,
        "validation_accuracy_judged": 1,
    }
    rows = end_rows(of_stage(found, "distill-train", {"general": figures}))
    assert rows == [
        ["general", "loss", "0.500"],
        ["general", "validation top1", f"0.250, {TOO_FEW}"],
        ["general", "validation accuracy", "0.500"],
    ]
    changed = dataclasses.replace(found, ablations={"17": {"general": {"as it is": figures}}})
    assert ablations(changed).blocks[0].head == ["variant", "validation accuracy", "validation top1"]
