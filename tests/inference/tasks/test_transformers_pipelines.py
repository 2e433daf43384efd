"""The pipelines of transformers give the answers of CompactLM for models of each kind. It has none for questions (see test_extracting)."""

import pytest
import transformers

from compactlm import CompactLM


@pytest.fixture(scope="module")
def lm(heads_export):
    return CompactLM(heads_export, threads=1)


@pytest.fixture
def classify(heads_root):
    """Return a factory of pipelines of text-classification that give the scores of all labels."""
    return lambda name: transformers.pipeline("text-classification", str(heads_root / name), top_k=None)


def scores(found):
    return {one["label"]: one["score"] for one in found}


def test_pairs(lm, classify, tiny_texts):
    pairs = list(zip(tiny_texts[:20], tiny_texts[20:40], strict=True))
    found = classify("entailment")([{"text": first, "text_pair": second} for first, second in pairs])
    for own, theirs in zip(lm.classify_all(pairs, "entailment"), found, strict=True):
        assert scores(theirs) == pytest.approx(own.probabilities, abs=1e-4)


def test_several_labels(lm, classify, tiny_texts):
    for own, theirs in zip(lm.classify_all(tiny_texts[:20], "topics"), classify("topics")(tiny_texts[:20]), strict=True):
        assert scores(theirs) == pytest.approx(own.probabilities, abs=1e-4)
        assert sum(own.probabilities.values()) != pytest.approx(1, abs=1e-3)


def test_numbers(lm, classify, tiny_texts):
    for own, theirs in zip(lm.score_all(tiny_texts[:20]), classify("rating")(tiny_texts[:20]), strict=True):
        assert scores(theirs) == {"score": pytest.approx(own.score, abs=1e-4)}
