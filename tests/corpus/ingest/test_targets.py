import math
from typing import Any

import pytest

from compactlm.corpus.ingest.targets import check_label_names, read_targets
from compactlm.errors import CompactLMError
from compactlm.params import Columns, Task
from compactlm.tasks.base import Targets

SENTIMENT = Task(sources=["s"], labels=["negative", "positive"])
TOPICS = Task(kind="multilabel", sources=["s"], labels=["0", "news", "true"])
RATING = Task(kind="regression", sources=["s"])
BY_RATING = {"column": "r", "threshold": 0.0, "below": "negative", "above": "positive"}
BY_NAME = {"column": "r", "names": {"0": "negative", "1": "positive", "true": "positive"}}


def columns(**named: Any) -> Columns:
    return Columns.model_validate({"text": "t", "document": None, "label": None, "attributes": {}, "queries": None} | named)


def read(cells: dict[str | int, object], task: Task, **named: Any) -> Targets | None:
    return read_targets(cells, "a text", (), columns(**named), "p", task)


@pytest.mark.parametrize(
    ("rule", "value", "label"),
    [
        (BY_RATING, "-3", "negative"),
        (BY_RATING, 0, "negative"),
        (BY_RATING, "0.1", "positive"),
        (BY_RATING, "inf", "positive"),
        (BY_NAME, 1, "positive"),
        (BY_NAME, True, "positive"),
        (BY_NAME, 1.0, "positive"),
        (BY_NAME, "True", "positive"),
    ],
)
def test_labels(rule: dict[str, Any], value: object, label: str) -> None:
    assert read({"r": value}, SENTIMENT, label=rule) == Targets(label=label)


@pytest.mark.parametrize(
    ("cells", "rule", "message"),
    [
        ({"u": "x"}, BY_RATING, r"p: the column 'r' of columns\.label does not exist \(columns here: 'u'\)"),
        ({"r": "good"}, BY_RATING, r"p: the label column 'r' holds 'good', which is not a number"),
        ({"r": "nan"}, BY_RATING, r"holds 'nan'"),
        ({"r": True}, BY_RATING, r"holds True"),
        ({"r": "2"}, BY_NAME, r"p: the label '2' is not declared \(0, 1, true\)"),
        ({"r": None}, BY_NAME, r"p: the label column 'r' is empty"),
        ({"r": math.nan}, BY_NAME, r"p: the label column 'r' is empty"),
        ({"r": ["0"]}, BY_NAME, r"p: the label column 'r' is wrong: \['0'\] is not a label"),
        ({"r": "neutral"}, {"column": "r", "names": None}, r"the label 'neutral' is not declared \(negative, positive\)"),
    ],
)
def test_a_wrong_label_is_refused(cells: dict[str | int, object], rule: dict[str, Any], message: str) -> None:
    with pytest.raises(CompactLMError, match=message):
        read(cells, SENTIMENT, label=rule)


@pytest.mark.parametrize(
    ("rule", "cell", "labels"),
    [
        ("r", ["news", "0", "news"], ("0", "news")),
        ("r", [], ()),
        ("r", "", ()),
        ("r", [0, True], ("0", "true")),
        ({"column": "r", "separator": ";"}, "news; 0;", ("0", "news")),
        ({"column": "r", "separator": ";"}, "", ()),
        ({"column": "r", "names": {"n": "news"}}, ["n"], ("news",)),
    ],
)
def test_several_labels_are_a_list_or_parts_of_a_text(rule: object, cell: object, labels: tuple[str, ...]) -> None:
    assert read({"r": cell}, TOPICS, labels=rule) == Targets(labels=labels)


@pytest.mark.parametrize(
    ("threshold", "cells", "labels"),
    [
        (0.5, {"a": "0.6", "b": 0.5, "c": 1}, ("0", "true")),
        (None, {"a": "1", "b": "False", "c": True}, ("0", "true")),
        (None, {"a": 0, "b": 0.0, "c": "0"}, ()),
    ],
)
def test_several_labels_have_a_column_each(threshold: float | None, cells: dict[str | int, object], labels: tuple[str, ...]) -> None:
    rule = {"columns": {"0": "a", "news": "b", "true": "c"}, "threshold": threshold}
    assert read(cells, TOPICS, labels=rule) == Targets(labels=labels)


@pytest.mark.parametrize(
    ("cells", "rule", "message"),
    [
        ({"r": ["sport"]}, "r", r"p: the label 'sport' is not declared \(0, news, true\).*columns\.labels\.names"),
        ({"r": None}, "r", r"p: the column 'r' of columns\.labels holds None, which is not a list of labels"),
        ({"r": "news,0"}, "r", r"p: the column 'r' of columns\.labels holds 'news,0', which is not a list; set columns\.labels\.separator"),
        ({"r": [["news"]]}, "r", r"p: the column 'r' of columns\.labels is wrong: \['news'\] is not a label"),
        ({"a": "x", "b": 1}, {"columns": {"0": "a", "news": "b"}}, r"p: the column 'a' of .* holds 'x', which is not true or false"),
        ({"a": math.nan, "b": 1}, {"columns": {"0": "a", "news": "b"}, "threshold": 0}, r"p: the labels\.columns column 'a' holds nan"),
        ({"b": 1}, {"columns": {"0": "a", "news": "b"}, "threshold": 0}, r"the column 'a' of columns\.labels\.columns does not exist"),
    ],
)
def test_wrong_label_sets_are_refused(cells: dict[str | int, object], rule: object, message: str) -> None:
    with pytest.raises(CompactLMError, match=message):
        read(cells, TOPICS, labels=rule)


@pytest.mark.parametrize(("cell", "score"), [("-1.5", -1.5), (2, 2.0), (" 3e2 ", 300.0)])
def test_scores_are_numbers(cell: object, score: float) -> None:
    assert read({"r": cell}, RATING, score="r") == Targets(score=score)


@pytest.mark.parametrize("cell", ["nan", "", None, "good", "1,5", math.inf, "-inf", True, [1.0]])
def test_other_scores_are_refused(cell: object) -> None:
    with pytest.raises(CompactLMError, match=r"p: the score column 'r' holds .* not a finite number"):
        read({"r": cell}, RATING, score="r")


@pytest.mark.parametrize(
    ("task", "rules", "empty", "full"),
    [
        (SENTIMENT, {"label": BY_NAME}, {"r": None}, {"r": 1}),
        (SENTIMENT, {"label": BY_RATING}, {"r": ""}, {"r": 1}),
        (TOPICS, {"labels": "r"}, {"r": None}, {"r": ["news"]}),
        (TOPICS, {"labels": {"columns": {"0": "a", "news": "r"}}}, {"r": "", "a": None}, {"r": 1, "a": 0}),
        (RATING, {"score": "r"}, {"r": math.nan}, {"r": 1}),
        (RATING, {"score": "r"}, {}, {"r": 1}),
    ],
)
def test_rows_with_empty_cells_are_unlabelled_only_if_the_columns_say_so(
    task: Task, rules: dict[str, Any], empty: dict[str | int, object], full: dict[str | int, object]
) -> None:
    assert read(empty, task, unlabelled=True, **rules) is None
    assert read(full, task, unlabelled=True, **rules) == read(full, task, **rules) != Targets()
    with pytest.raises(CompactLMError):
        read(empty, task, **rules)


def test_only_what_the_task_needs_is_read() -> None:
    assert read({"r": "5"}, RATING, score="r", label=BY_NAME) == Targets(score=5.0)


@pytest.mark.parametrize(
    ("rules", "task", "message"),
    [
        ({"label": BY_RATING | {"below": "bad"}}, SENTIMENT, r"ingest\.sources\.s\.columns\.label names 'bad'"),
        ({"labels": {"column": "r", "names": {"a": "sport"}}}, TOPICS, r"ingest\.sources\.s\.columns\.labels names 'sport'"),
        ({"labels": {"columns": {"sport": 1, "news": 2}}}, TOPICS, r"ingest\.sources\.s\.columns\.labels names 'sport'"),
    ],
)
def test_a_label_name_outside_the_task_is_refused_before_any_row(rules: dict[str, Any], task: Task, message: str) -> None:
    with pytest.raises(CompactLMError, match=message):
        check_label_names("s", columns(**rules), task)
    check_label_names("s", columns(**rules), RATING)
    check_label_names("s", columns(label=BY_RATING), SENTIMENT)
