"""The exported model of each kind of task answers in Node, with transformers.js, as in Python.

Python reads one text at a time, as Node does, because the int8 file scales all texts of a batch together.
"""

from __future__ import annotations

import numpy as np
import pytest

from compactlm import CompactLM
from tests.fixtures.heads import HEADS
from tests.node.javascript import run

pytestmark = pytest.mark.slow

QUESTIONS = ("was the dog good?", "the story", "music never")
BACKENDS = {"fp32": "onnx", "q8": "int8"}


@pytest.fixture(scope="module", params=BACKENDS)
def dtype(request):
    return request.param


@pytest.fixture(scope="module")
def lm(heads_export, dtype):
    return CompactLM(heads_export, backend=BACKENDS[dtype], threads=1)


@pytest.fixture(scope="module")
def ask(heads_export, dtype):
    """Return a function that gives the answers of transformers.js."""
    return lambda name, task, inputs: run(
        "pipelines.mjs", {"directory": str(heads_export), "name": name, "task": task, "dtype": dtype, "inputs": inputs}
    )


@pytest.fixture(scope="module")
def texts(tiny_texts):
    return tiny_texts[:20]


def letters(text):
    """Return a text without the marks of tokens, spaces and letter case."""
    return text.replace("##", "").replace(" ", "").lower()


def test_label_sets(ask, lm, texts):
    answers = ask("topics", "text-classification", [[text, {"top_k": len(HEADS["topics"][1])}] for text in texts])
    given = set()
    for said, found in zip(answers, (lm.classify(text, "topics") for text in texts), strict=True):
        assert {one["label"]: one["score"] for one in said} == pytest.approx(found.probabilities, abs=1e-4)
        given.update(one["label"] for one in said if one["score"] >= 0.5)
    assert given


def test_pairs_of_texts(ask, lm, texts):
    pairs = list(zip(texts, reversed(texts), strict=True))
    answers = np.exp(ask("entailment", "logits", pairs))
    ours = [lm.classify(text, "entailment", pair=pair).probabilities for text, pair in pairs]
    for said, found in zip(answers / answers.sum(axis=1, keepdims=True), ours, strict=True):
        assert dict(zip(HEADS["entailment"][1], said, strict=True)) == pytest.approx(found, abs=1e-4)
    assert ours != [lm.classify(text, "entailment", pair="").probabilities for text, _ in pairs]


def test_numbers(ask, lm, texts):
    for text, [said] in zip(texts, ask("rating", "logits", [[text] for text in texts]), strict=True):
        assert said == pytest.approx(lm.score(text, "rating").score, abs=1e-4)


def test_tags_of_words(ask, lm, texts):
    known = [text for text in texts if not any(character.isdigit() for character in text)]  # the pipeline leaves out unknown tokens
    answers = ask("names", "token-classification", [[text, {"ignore_labels": []}] for text in known])
    for text, said in zip(known, answers, strict=True):
        found = lm.tag(text, "names")
        firsts = [one for one in said if not one["word"].startswith("##")]
        assert len(firsts) == len(found.words), text
        assert [one["entity"] for one in firsts] == [word.tag for word in found.words], text
        assert [one["score"] for one in firsts] == pytest.approx([word.probability for word in found.words], abs=1e-4)


def test_answers_in_a_passage(ask, lm, texts):
    asked = [(question, text) for question in QUESTIONS for text in texts]
    answers = ask("answers", "question-answering", asked)
    compared = 0
    for (question, text), said in zip(asked, answers, strict=True):
        found = lm.extract(question, text, "answers")
        if found.answer is not None:  # the pipeline does not read no_answer_threshold, and always answers
            assert letters(said["answer"]) == letters(found.answer), text
            compared += 1
    assert compared >= 5
