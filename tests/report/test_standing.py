"""What the page and the card mark is what the gates count."""

import copy
import dataclasses
import json

import pytest
import yaml
from made_up_run import build

from compactlm.params import parse_params
from compactlm.report.card.bias_statements import bias
from compactlm.report.blocks import Cell, Table
from compactlm.report.sections.fairness import fairness
from compactlm.report.standing import together

STRICT = {"disparate_impact": 0.99, "statistical_parity_difference": 0.01, "equal_opportunity_difference": 0.01}
TIGHT = {"counterfactual_flips": 0.01, "stereotype_log_odds_gap": 0.0, "amplification": 0.0}


def marked(found):
    """The first cells and the texts of all cells that the page marks as outside a limit."""
    rows = [row for block in fairness(found).blocks if isinstance(block, Table) for row in block.rows]
    return [(row[0], cell.text) for row in rows for cell in row if isinstance(cell, Cell) and "outside the limit" in cell.text]


@pytest.mark.parametrize(
    ("model", "data"),
    [({}, {}), (STRICT, {}), (TIGHT, {}), (STRICT | TIGHT, {"disparate_impact": 1.0, "statistical_parity_difference": 0.0})],
    ids=["default", "strict", "tight", "all"],
)
@pytest.mark.parametrize("mitigation", ["none", "reweighing"])
def test_as_much_is_marked_as_the_gates_count(default_params, test_rows, model, data, mitigation):
    content = yaml.safe_load(default_params)
    content["bias_audit"]["mitigation"] = mitigation
    content["bias_audit"]["gate"]["model"] |= model
    content["bias_audit"]["gate"]["data"] |= data
    found = build(parse_params(content), test_rows)
    counted = found.fairness["gate"]["violations"] + found.metrics["bias-audit"]["sentiment"]["gate"]["violations"]
    assert len(marked(found)) == counted
    assert counted > 0 or not model


def change(found, **places):
    """The findings with other values at dotted paths of metrics."""
    metrics = json.loads(json.dumps(found.metrics))
    for path, values in places.items():
        place = metrics
        for name in path.split("__"):
            place = place[name.replace("bias_audit", "bias-audit")]
        place.update(values)
    return dataclasses.replace(found, metrics=metrics)


PAIR = "evaluate__fairness__tasks__sentiment__gender__women_to_men__"
FAIR = {"judged": 1, "teacher": 0.0, "student": 0.0, "amplification": 0.0}


@pytest.fixture
def fair(found):
    """A run in which nothing is outside a limit."""
    names = ("statistical_parity_difference", "equal_opportunity_difference", "average_odds_difference")
    audit = "evaluate__fairness__tasks__sentiment__gender__counterfactual"
    quiet = {f"{PAIR}{name}": FAIR for name in names} | {f"{PAIR}disparate_impact": {"judged": 1, "teacher": 1.0, "student": 1.0}}
    quiet[f"{audit}__flips"] = {"teacher": 0.0, "student": 0.0}
    quiet["evaluate__fairness__stereotypes__gender__log_odds_gap"] = {"teacher": 0.0, "student": 0.0}
    for step in ("before", "augmented", "mitigated"):
        quiet[f"bias_audit__sentiment__attributes__gender__{step}__women_to_men__positive"] = {
            "judged": 1,
            "disparate_impact": 1.0,
            "statistical_parity_difference": 0.0,
        }
    changed = change(found, **quiet)
    assert marked(changed) == []
    return changed


@pytest.mark.parametrize(
    ("place", "values", "row", "said"),
    [
        (f"{PAIR}disparate_impact", {"teacher": 1.0, "student": 0.5}, "disparate impact", "disparate impact is 0.500"),
        (
            f"{PAIR}equal_opportunity_difference",
            {"teacher": 0.0, "student": -0.09},
            "equal opportunity",
            "than its teacher by 0.090 (limit 0.05)",
        ),
        (
            "evaluate__fairness__stereotypes__gender__log_odds_gap",
            {"teacher": 0.5, "student": 0.5},
            "gap of log odds",
            "nats (parity: 0; limit 0.22), outside the limit",
        ),
        (
            "evaluate__fairness__stereotypes__gender__log_odds_gap",
            {"teacher": 0.0, "student": 0.1},
            "gap of log odds",
            "than its teacher by 0.100",
        ),
        (
            "evaluate__fairness__tasks__sentiment__gender__counterfactual__flips",
            {"teacher": 0.2, "student": 0.2},
            "flip",
            "10\u00a0%, outside the limit",
        ),
        *(
            (
                f"bias_audit__sentiment__attributes__gender__{step}__women_to_men__positive",
                {"disparate_impact": 0.2},
                "disparate impact",
                "outside the limit of the data gate on disparate impact",
            )
            for step in ("before", "mitigated")
        ),
    ],
)
def test_each_kind_of_violation_is_marked_and_told(fair, place, values, row, said):
    changed = change(fair, **{place: values})
    assert marked(changed)
    assert all(row in name for name, _ in marked(changed))
    assert any(said in sentence for sentence in bias(changed))
    assert not any(said in sentence for sentence in bias(fair))


def test_what_cannot_be_judged_is_neither_marked_nor_passed(fair):
    changed = change(fair, **{f"{PAIR}disparate_impact": {"judged": 0}})
    assert marked(changed) == []
    assert any("not judged, for too few rows or no finite number: disparate impact" in sentence for sentence in bias(changed))


def test_pairs_without_the_privileged_group_are_not_judged(fair):
    metrics = copy.deepcopy(fair.metrics)
    audit = metrics["evaluate"]["fairness"]["tasks"]["sentiment"]["gender"]
    audit["men_to_women"] = {"disparate_impact": {"judged": 1, "teacher": 1.0, "student": 0.1, "amplification": -0.9}}
    assert marked(dataclasses.replace(fair, metrics=metrics)) == []


def test_gates_of_several_tasks_are_one():
    good, bad = ({"checks": 2, "violations": at, "not_judged": 0, "passed": 1 - at} for at in (0, 1))
    empty = {"checks": 0, "violations": 0, "not_judged": 0, "passed": 0}
    assert together([good, empty]) == good
    assert together([good, bad]) == {"checks": 4, "violations": 1, "not_judged": 0, "passed": 0}
    assert together([empty]) == together([]) == empty
