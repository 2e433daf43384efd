"""The page and the card show the status of each figure as it was measured."""

import dataclasses
import re

import pytest
import yaml

from compactlm.figures.figure import Figure, Limit, Status, find_figures
from compactlm.params import parse_params
from compactlm.report.blocks import Table
from compactlm.report.card.bias_statements import bias_statements
from compactlm.report.sections.fairness import fairness
from compactlm.report.sections.language import NO_HEAD, forgetting, masked_words
from compactlm.report.verdict import gates, keys, sentences
from tests.fixtures.made_up_run import build, with_stages, without_teachers_head

STRICT = {"disparate_impact": 0.99, "statistical_parity_difference": 0.01, "counterfactual_flips": 0.01, "amplification": 0.0}


def cells(found):
    return [cell for block in fairness(found).blocks if isinstance(block, Table) for row in block.cells() for cell in row]


def build_with(default_params, test_rows, **changes):
    """Build findings with changed settings of the bias audit."""
    content = yaml.safe_load(default_params)
    content["bias_audit"] |= {"protected": {"sentiment": ["gender"]}, **changes}
    return build(parse_params(content), test_rows)


def changed(found, change):
    """Replace each fairness figure of the models that has a limit."""

    def walk(content):
        if isinstance(content, Figure):
            return change(content) if content.limit else content
        return {key: walk(value) for key, value in content.items()} if isinstance(content, dict) else content

    return with_stages(found, evaluate={**found.metrics["evaluate"], "fairness": walk(found.fairness)})


@pytest.mark.parametrize("model", [{}, STRICT], ids=["default", "strict"])
@pytest.mark.parametrize("mitigation", ["none", "reweighing"])
def test_the_page_shows_as_many_statuses_as_the_gates_count(default_params, test_rows, model, mitigation):
    gate = yaml.safe_load(default_params)["bias_audit"]["gate"]
    found = build_with(default_params, test_rows, mitigation=mitigation, gate=gate | {"model": gate["model"] | model})
    for status in (Status.VIOLATED, Status.UNDECIDED, Status.OK):
        shown = [cell for cell in cells(found) if re.search(rf", {status.words}(: about .* needed)?$", cell.text)]
        assert len(shown) == sum(gate.count(status) for gate in gates(found))


@pytest.mark.parametrize(
    ("figure", "status"),
    [
        (Figure.measured(0.5, 0.4, 0.6, limit=Limit(0.3)), Status.OK),
        (Figure.measured(0.5, 0.4, 0.6, limit=Limit(0.5)), Status.UNDECIDED),
        (Figure.measured(0.5, 0.4, 0.6, limit=Limit(0.7)), Status.VIOLATED),
        (Figure.measured(0.5, 0.4, 0.6, rows=9, rows_needed=30, limit=Limit(0.3)), Status.NOT_JUDGED),
    ],
)
def test_each_status_reaches_the_summary_the_page_and_the_card(found, figure, status):
    same = changed(found, lambda _: figure)
    data, model = gates(same)
    count = sum(one.limit is not None for _, one in find_figures(same.fairness))
    assert (model.count(status), len(model.checks), model.status) == (count, count, status)
    assert any(sentence.startswith(f"The model gate is {status.words}") for sentence in sentences(same))
    assert {key.name: key.value for key in keys(same)}["Fairness gate, model"] == status.words
    assert sum(f", {status.words}" in cell.text for cell in cells(same)) == count + data.count(status)
    about = [one for one in bias_statements(same) if one.startswith("On sentiment, gender, women to men") and status.words in one]
    assert len(about) == 1 if status in (Status.OK, Status.NOT_JUDGED) else about


def test_figures_of_small_groups_are_not_judged(default_params, test_rows):
    found = build_with(default_params, test_rows, minimum_group_rows=500)
    assert [gate.status for gate in gates(found)] == [Status.NOT_JUDGED] * 2
    assert sum("at least 500" in cell.text for cell in cells(found)) > sum(len(gate.checks) for gate in gates(found))
    assert sum("at least 500" in sentence for sentence in bias_statements(found)) >= 4


def test_a_group_with_a_lower_accuracy_than_the_teacher_is_named(found):
    assert any("rows of men" in sentence and "significantly lower" in sentence for sentence in bias_statements(found))


def test_findings_without_fairness_are_not_judged(found):
    without = with_stages(found, evaluate={**found.metrics["evaluate"], "fairness": {}}, bias_audit={})
    assert [gate.status for gate in gates(without)] == [Status.NOT_JUDGED] * 2
    assert sum("not judged" in sentence for sentence in sentences(without)) == 2


def test_a_teacher_without_a_head_is_not_judged_on_masked_words_and_the_page_says_why(found):
    alone = without_teachers_head(found)
    for section in (masked_words, forgetting):
        assert NO_HEAD in section(alone).lead
        assert NO_HEAD not in section(found).lead
    notes = [block.note for block in fairness(alone).blocks if isinstance(block, Table)]
    assert any(NO_HEAD in note for note in notes)
    assert sum("not judged" in cell.text for cell in cells(alone)) > sum("not judged" in cell.text for cell in cells(found))
    said = " ".join(bias_statements(alone))
    assert "The teacher's stereotypes are not judged, because it has no masked-language-model head." in said
    assert "The teacher's stereotypes are not judged" not in " ".join(bias_statements(found))
    [key] = [one for one in keys(alone) if one.name == "Masked words"]
    assert (key.value, key.against) == (
        "13.0\N{NO-BREAK SPACE}%",
        "first choice is right; n-grams 20.0\N{NO-BREAK SPACE}%, most frequent word 5.0\N{NO-BREAK SPACE}%",
    )
    assert gates(alone)[0].status is gates(found)[0].status


@pytest.mark.parametrize(
    ("task", "swapped", "row", "sentences_of_the_card"),
    [
        (
            {"kind": "regression", "labels": [], "metric": "spearman"},
            {"outcome_change": 0.02, "paired_parity_difference": 0.01},
            "mean change of the score, from 0 (the least) to 1 (the greatest) by the swap",
            [
                "changes its answers. The mean change of the score",
                "the score, from 0 (the least) to 1 (the greatest) differs by 0.010",
            ],
        ),
        (
            {"kind": "tagging", "labels": ["person"], "metric": "entity_f1"},
            {"flips": 0.5, "outcome_change": 0.02, "paired_parity_difference": 0.01},
            "mean change of the share of tagged words by the swap",
            ["flips 50.0 % (49.0 to 51.0) of its predictions", "the share of tagged words differs by +1.0 points"],
        ),
        (
            {"kind": "multilabel", "labels": ["positive", "war"], "metric": "macro_f1"},
            {"flips": 0.5, "probability_change": 0.02, "paired_parity_difference": 0.01},
            "mean change of probability by the swap",
            ["The mean change of probability is 0.020", "the share of predictions that are favourable differs by +1.0 points"],
        ),
    ],
)
def test_swapped_words_are_told_of_in_every_kind(found, task, swapped, row, sentences_of_the_card):
    def by_role(value):
        figure = Figure.measured(value, value - 0.01, value + 0.01, rows=80, rows_needed=30, limit=Limit(-0.1, 0.1))
        return {"teacher": figure, "student": figure, "amplification": figure}

    audit = {
        "pairs": {},
        "mean_outcome": {},
        "rows": {},
        "counterfactual": {"rows": 80} | {key: by_role(value) for key, value in swapped.items()},
    }
    tasks = {"sentiment": found.params.tasks["sentiment"].model_copy(update=task)}
    other = dataclasses.replace(found, params=found.params.model_copy(update={"tasks": tasks}))
    measured = {**found.metrics["evaluate"], "fairness": {"tasks": {"sentiment": {"gender": audit}}}}
    other = with_stages(other, bias_audit={}, evaluate=measured)
    texts = [cell.text for cell in cells(other)]
    assert row in texts
    assert ("predictions that flip when the group words are swapped" in texts) == ("flips" in swapped)
    told = " ".join(bias_statements(other)).replace("\N{NO-BREAK SPACE}", " ")
    assert [sentence for sentence in sentences_of_the_card if sentence not in told] == []
