"""The sections of the loop after training, from made-up results."""

import dataclasses

import pytest

from compactlm.figures.figure import Figure, Limit, read_figures, write_figures
from compactlm.report.blocks import Heading, Table
from compactlm.report.sections.loop import new_text, picks
from compactlm.report.sections.promotion import promotion


def figure(value, wide=0.02, rows=300):
    return Figure.measured(value, value - wide, value + wide, rows=rows)


WATCHED = {
    "task": "sentiment",
    "status": 1,
    "rows": 200,
    "reference_rows": 600,
    "false_alarms": figure(0.014, 0.01, 500),
    "findings": {
        "text": {"new": figure(0.97), "p": 0.0005, "changed": True},
        "split_words": {"reference": 0.095, "new": 0.07, "p": 0.3, "changed": False},
        "labels": {"p": 0.02, "changed": True},
    },
    "label_shares": {"negative": {"reference": 0.468, "new": 0.645}},
    "accuracy": {"reference": figure(0.84), "estimated": figure(0.77), "change": figure(-0.07)},
    "words": [{"word": "battery", "reference": 0.003, "new": 0.3, "score": 9.1}],
}
DRIFT = {
    "sizes": [50, 200],
    "repeats": 100,
    "reference_rows": 600,
    "level": 0.02,
    "order": ["movie reviews", "tweets"],
    "reported": {"movie reviews": {"50": figure(0.02), "200": figure(0.01)}, "tweets": {"50": figure(0.9)}},
    "estimate_rows": 200,
    "accuracy": {"tweets": {"estimated": figure(0.77), "measured": figure(0.7), "error": figure(0.07), "inside": figure(0.4)}},
}
CURVE = {
    "test_rows": 1000,
    "sizes": [50, 100],
    "accuracy": {"random": {"50": figure(0.6), "100": figure(0.65)}, "margin": {"50": figure(0.62), "100": figure(0.66)}},
    "difference": {"margin": {"50": figure(0.02, 0.03), "100": figure(-0.01, 0.005)}},
    "needed": {"0.65": {"random": figure(100, 20), "margin": figure(80, 30)}, "0.7": {}},
}
PICKS = {"seeds": 20, "method": "Logistic regression.", "order": ["random", "margin"], "settings": {"the task": CURVE, "new text": CURVE}}


@pytest.fixture
def results(found):
    """Return a function that adds results to the findings, as they are read from reports/."""

    def add(**folders):
        return dataclasses.replace(found, **{name: read_figures(write_figures(content)) for name, content in folders.items()})

    return add


def tables(section):
    listed = [block for block in section.blocks if isinstance(block, Table)]
    return {table.caption: [[cell.text.replace("\u00a0", " ") for cell in row] for row in table.cells()] for table in listed}


def test_the_last_comparison_is_shown(results):
    section = new_text(results(loop={"watch": WATCHED}))
    assert "200 rows with 600 reference rows of sentiment: the text has changed" in section.lead
    assert "reported in 1.4\u00a0% (0.4 to 2.4) of random splits" in section.lead
    shown = tables(section)
    assert shown["The last comparison"] == [
        ["AUC of the text", "0.5", "0.970 (0.950 to 0.990)", "0.0005", "changed"],
        ["split words", "9.5 %", "7.0 %", "0.3000", "no change"],
        ["labels", "", "", "0.0200", "changed"],
        ["answered negative", "46.8 %", "64.5 %", "", ""],
        ["accuracy", "84.0 % (82.0 to 86.0)", "77.0 % (75.0 to 79.0), estimated", "", ""],
    ]
    assert shown["Words that tell new rows from old ones"] == [["battery", "0 %", "30 %"]]


def test_the_power_and_the_estimates_are_shown(results):
    shown = tables(new_text(results(benchmarks={"drift": DRIFT})))
    assert shown["How often a change is reported"][1] == ["tweets", "90.0 % (88.0 to 92.0)", ""]
    assert shown["Estimated and measured accuracy"] == [
        ["tweets", "77.0 % (75.0 to 79.0)", "70.0 % (68.0 to 72.0)", "7.0 % (5.0 to 9.0)", "40.0 % (38.0 to 42.0)"]
    ]


def test_the_learning_curve_is_shown(results):
    section = picks(results(benchmarks={"picks": PICKS}))
    assert [block.text for block in section.blocks if isinstance(block, Heading)] == ["the task", "new text"]
    assert section.lead.endswith("mean of 20 seeds. Logistic regression.")
    shown = tables(section)
    assert shown["Accuracy on 1,000 test rows"][0] == ["50", "60.0 % (58.0 to 62.0)", "62.0 % (60.0 to 64.0)"]
    assert shown["Difference from random picks"][1][1].startswith("\u22121.0 points (\u22121.5 to ")
    assert shown["Labels that are needed"] == [["random", "100 (80 to 120)", "not reached"], ["margin", "80 (50 to 110)", "not reached"]]


def test_without_results_there_is_no_section(results):
    assert new_text(results(loop={}, benchmarks={})) is None
    assert picks(results(loop={}, benchmarks={})) is None


def test_the_last_promotion_is_a_table_of_its_lines_and_says_what_refused(results, found):
    assert promotion(found) is None
    lines = {
        "old test rows": {"champion": figure(0.8), "challenger": figure(0.7), "difference": figure(-0.1).with_limit(Limit(low=-0.02))},
        "negative flips": {"difference": figure(0.12)},
    }
    verdict = {"champion": "v0.1.0", "status": 1, "refused_by": ["sentiment, old test rows"], "tasks": {"sentiment": lines}}
    section = promotion(results(loop={"promotion": verdict}))
    assert section.lead == "A model was compared with v0.1.0 on the same rows: it was refused (sentiment, old test rows)."
    [table] = section.blocks
    assert table.rows[0][-1] == "violated"
    assert table.rows[1][2:4] == ["", ""]
