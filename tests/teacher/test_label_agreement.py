import dataclasses

import numpy as np
import pytest
from transformers import BertForSequenceClassification, BertTokenizer

from compactlm.artifacts import NO_ANSWER
from compactlm.params import Task
from compactlm.tasks import kind_of
from compactlm.tasks.answers import Span, Tags
from compactlm.teacher.label_agreement import agrees, label_agreement, unchanged
from tests.fixtures.builders import make_config, make_row

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]
GOOD = TOKENS.index("good")


@pytest.fixture(scope="module")
def tokenizer():
    return BertTokenizer(vocab={token: number for number, token in enumerate(TOKENS)})


@pytest.fixture
def count_good(monkeypatch):
    """Make the outputs of every model the number of times that a sequence has the word good."""

    def run_rows(model, rows, batch_tokens, description):
        return [[np.array([0.5, one.input_ids.count(GOOD)], dtype=np.float32)[-model.config.num_labels :] for one in row] for row in rows]

    monkeypatch.setattr("compactlm.teacher.label_agreement.run_rows", run_rows)


def model(outputs=2):
    return BertForSequenceClassification(make_config(vocab_size=len(TOKENS), num_labels=outputs))


def test_label_agreement_is_counted_for_copies_and_originals(tokenizer, count_good):
    task = Task(sources=["s"], labels=["no", "yes"])
    originals = {"a": make_row("a", "good film", label="yes"), "b": make_row("b", "bad film", label="no")}
    copies = [
        make_row("1", "bad good film", label="yes", parent="a", augmenter="insert"),
        make_row("2", "bad film", label="yes", parent="a", augmenter="synonym"),
        make_row("3", "film bad", label="no", parent="b", augmenter="swap"),
        make_row("4", "bad good", label="no", parent="b", augmenter="synonym"),
    ]
    answers = agrees(model(), tokenizer, task, [*copies, *(originals[copy.parent] for copy in copies)], 12, 64)
    assert answers == [True, False, True, False, True, True, True, True]
    agreed = {copy.id: answer for copy, answer in zip(copies, answers[:4], strict=True)}
    result = label_agreement(copies, agreed, answers[4:])
    found = {name: (share["value"], share["rows"]) for name, share in {**result.pop("by_augmenter"), **result}.items()}
    assert found == {"share": (0.5, 4), "originals": (1.0, 4), "insert": (1.0, 1), "swap": (1.0, 1), "synonym": (0.0, 2)}
    assert "originals" not in label_agreement(copies, agreed, None)


def test_a_number_agrees_if_it_is_near_that_of_the_original(tokenizer, count_good):
    task = Task(kind="regression", sources=["s"])
    before = [dataclasses.replace(make_row("a", "good film"), score=1.0), dataclasses.replace(make_row("b", "film"), score=4.0)]
    rows = [dataclasses.replace(before[0], id="1", text="good bad film"), dataclasses.replace(before[1], id="2", text="good good film")]
    assert unchanged(model(outputs=1), tokenizer, task, rows, before, 12, 64) == [True, False]
    again = [dataclasses.replace(row, id=f"{row.id}b") for row in rows]
    found = unchanged(model(outputs=1), tokenizer, task, [*rows, *again], [*before, *before], 12, 64)
    assert found == [True, False, True, False], "several copies of a row"
    with pytest.raises(ValueError, match="answers of the kind regression are not right or wrong"):
        agrees(model(outputs=1), tokenizer, task, rows, 12, 64)


@pytest.mark.parametrize(
    ("task", "answers", "before", "same"),
    [
        (Task(kind="multilabel", sources=["s"], labels=["a", "b"]), [0.6, 0.4], [0.9, 0.1], True),
        (Task(kind="multilabel", sources=["s"], labels=["a", "b"]), [0.6, 0.4], [0.6, 0.5], False),
        (Task(kind="tagging", sources=["s"], labels=["x"]), ("O", "B-x"), ("B-x", "O", "O"), True),
        (Task(kind="tagging", sources=["s"], labels=["x"]), ("O", "B-x"), ("B-x", "B-x"), False),
        (Task(kind="tagging", sources=["s"], labels=["NOUN", "VERB"]), ("NOUN",), ("NOUN", "NOUN"), False),
        (Task(kind="span", sources=["s"]), ("Kim", 3), ("Kim", 9), True),
        (Task(kind="span", sources=["s"]), (None, NO_ANSWER), ("Kim", 9), False),
    ],
)
def test_other_answers_agree_if_they_say_the_same(task, answers, before, same):
    def made(value):
        if task.kind == "tagging":
            return Tags(value, (1.0,) * len(value), ("w",) * len(value))
        return np.array(value) if task.kind == "multilabel" else Span(value[0], value[1], value[1] + 3, 0.5)

    assert kind_of(task).unchanged([made(answers)], [made(before)], [make_row("a", "t")], task) == [same]
