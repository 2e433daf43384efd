"""The exported models in Node, by transformers.js: the same token ids and the same first choices as in Python."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import AutoTokenizer

from tests.node.javascript import compare_with_python

pytestmark = pytest.mark.slow

# What a tokenizer can do in one way or another: cases, accents, marks, numbers, what has no token, more than one space.
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
    """100 sentences, some of them odd."""
    return [*ODD, *tiny_texts[: 100 - len(ODD)]]


@pytest.mark.parametrize("dtype", ["fp32", "q8"])
@pytest.mark.parametrize("name", ["mlm", "sentiment", "embedding"])
def test_node_and_python_say_the_same(export_root, texts, name, dtype):
    if name == "mlm":
        texts = [" ".join(["[MASK]", *text.split()[1:]]) for text in texts]
    compare_with_python(export_root, name, dtype, texts)


def test_the_tokenizer_in_python_is_that_of_transformers(export_root, texts):
    tokenizer = AutoTokenizer.from_pretrained(export_root / "mlm")
    ids = tokenizer(texts)["input_ids"]
    assert len({len(row) for row in ids}) > 5
    assert np.unique(np.concatenate(ids)).size > 50
