"""The tables of a task with many labels, and the sentence about a task that has no audit."""

import dataclasses

import numpy as np
import pytest

from compactlm.params import Task
from compactlm.report.card.bias_statements import bias_statements
from compactlm.report.plots import plot_tables
from compactlm.report.sections.fairness import fairness
from compactlm.report.sections.quality import quality
from tests.fixtures.compared import make_answers

LABELS, ROWS = 150, 600
ABSENT = 149  # has no row


@pytest.fixture(scope="module")
def many(found):
    """Return the findings with a task of 150 labels: the teacher is right, the student says 7 instead of 3, and else is right too."""
    expected = np.arange(ROWS) % ABSENT
    said = np.where(expected == 3, 7, expected)
    answers = make_answers(expected, np.eye(LABELS)[expected], np.eye(LABELS)[said])
    task = Task(sources=["reviews"], labels=list(answers.task.labels))
    params = found.params.model_copy(update={"tasks": {"sentiment": task}})
    return dataclasses.replace(found, params=params, answers={"sentiment": answers})


def cells(table):
    return [[getattr(cell, "text", cell) for cell in row] for row in table.rows]


def test_many_labels_show_the_confused_pairs_and_the_labels_found_least(many):
    tables = {block.caption: block for block in quality(many).blocks if hasattr(block, "rows")}
    assert not any("matrix" in caption for caption in tables)
    confused = tables["Labels that the student confuses most, sentiment"]
    assert cells(confused) == [["label 3", "label 7", "5", "0", "5"]]
    lowest = tables["Labels that the student finds least often, sentiment"]
    assert cells(lowest)[0] == ["label 3", "0.0\u00a0%", "100.0\u00a0%", "5"]
    assert len(lowest.rows) == 10
    assert lowest.note == "1 of 150 labels have no test row."


def test_the_plot_of_many_labels_has_the_pairs_that_occur(many):
    [(_, rows)] = [(columns, rows) for name, columns, rows in plot_tables(many) if name == "confusion.tsv"]
    assert len(rows) == 2 * ABSENT
    assert ("sentiment", "student", "label 3", "label 7", 5) in rows


def test_a_task_that_cannot_be_audited_says_so(found):
    tasks = {**found.params.tasks, "answers": Task(kind="span", sources=["reviews"])}
    audit = found.params.bias_audit.model_copy(update={"protected": {**found.params.bias_audit.protected, "answers": ["gender"]}})
    other = dataclasses.replace(found, params=found.params.model_copy(update={"tasks": tasks, "bias_audit": audit}))
    sentence = (
        "Answers has no audit of the models, because the answers of a task of the kind span are neither favourable nor numbers that groups "
        "can be compared by."
    )
    assert sentence in [getattr(block, "text", "") for block in fairness(other).blocks]
    assert sentence in bias_statements(other)
    assert sentence not in bias_statements(found)
