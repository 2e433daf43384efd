"""The exported models give the same token ids and first choices in Node, with transformers.js, as in Python."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import AutoTokenizer

from tests.node.javascript import compare_outputs, compare_with_python

pytestmark = pytest.mark.slow

# Inputs on which tokenizers may differ: case, accents, punctuation, numbers, unknown characters, repeated spaces.
ODD = [
    "The FILM was Good!!!",
    "Él était café",
    "a  slow\tstory\n1999",
    "電影 was good",
    "😀 never again 👍🏽",
    "it's the dog's",
    "",
    "[PAD] x",
    "naïve",
]


@pytest.fixture(scope="module")
def texts(tiny_texts):
    """100 sentences, ODD ones first."""
    return [*ODD, *tiny_texts[: 100 - len(ODD)]]


@pytest.mark.parametrize("dtype", ["fp32", "q8"])
@pytest.mark.parametrize("name", ["mlm", "sentiment", "embedding"])
def test_node_and_python_give_the_same_answers(export_root, texts, name, dtype):
    if name == "mlm":
        texts = [" ".join(["[MASK]", *text.split()[1:]]) for text in texts]
    compare_with_python(export_root, name, dtype, texts)


@pytest.mark.parametrize(("dtype", "tolerance"), [("fp32", 1e-4), ("q8", 0.02)])
@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("entailment", "text-classification"),
        ("topics", "text-classification"),
        ("rating", "text-classification"),
        ("names", "token-classification"),
        ("answers", "question-answering"),
    ],
)
def test_each_kind_of_task_has_the_same_outputs(heads_export, texts, name, task, dtype, tolerance):
    rows = [*zip(texts[:20], texts[30:50], strict=True)] if name in ("entailment", "answers") else texts[:20]
    compare_outputs(heads_export, name, task, dtype, rows, tolerance)


def test_transformers_reads_the_tokenizer(export_root, texts):
    tokenizer = AutoTokenizer.from_pretrained(export_root / "mlm")
    ids = tokenizer(texts)["input_ids"]
    assert len({len(row) for row in ids}) > 5
    assert np.unique(np.concatenate(ids)).size > 50
