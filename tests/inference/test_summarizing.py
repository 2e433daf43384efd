import numpy as np
import pytest

from compactlm.errors import CompactLMError
from compactlm.inference import summarizing
from compactlm.inference.summarizing import DAMPING, centrality, summarize
from compactlm.text.sentences import split_sentences


def test_centrality_is_the_stationary_distribution():
    generator = np.random.default_rng(0)
    similarities = generator.random((6, 6))
    similarities = (similarities + similarities.T) / 2
    places = np.full(6, 1 / 6)
    found = centrality(similarities, places)
    assert found.sum() == pytest.approx(1)
    weights = similarities - np.diag(np.diag(similarities))
    steps = weights / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(DAMPING * found @ steps + (1 - DAMPING) * places, found, atol=1e-8)
    hub = np.eye(5)
    hub[0] = hub[:, 0] = 1
    assert centrality(hub, np.full(5, 0.2)).argmax() == 0


class FirstWord:
    """An embedding: the vector of a sentence is that of its first word."""

    def embed(self, texts):
        vectors = {"Dogs": [1, 0, 0.2], "Cats": [0.1, 1, 0.2], "Birds": [0, 0, 1]}
        rows = np.array([vectors[text.split()[0]] for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("options", [{}, {"at_once": 3}])
def test_similar_sentences_are_discounted_also_if_they_are_compared_in_parts(options):
    text = "Dogs run by the river. Dogs run in the house. Dogs run with people. Cats sleep by the house. Birds sing to people."
    found = summarize(FirstWord(), text, 3, **options)
    assert [sentence.text.split()[0] for sentence in found] == ["Dogs", "Cats", "Birds"]
    assert [sentence.position for sentence in found] == sorted(sentence.position for sentence in found)
    assert sum(sentence.centrality for sentence in summarize(FirstWord(), text, 5, **options)) == pytest.approx(1)
    repeated = summarize(FirstWord(), "Dogs run by the river. Cats sleep. Dogs RUN by the river. Cats sleep.", 4, **options)
    assert [sentence.position for sentence in repeated] == [0, 1]


def test_the_sentences_of_a_long_text_are_compared_in_parts(monkeypatch):
    sizes = []
    monkeypatch.setattr(summarizing, "centrality", lambda similarities, jumps: sizes.append(similarities.shape) or jumps)
    summarize(FirstWord(), "Dogs run. " * 20, 3, at_once=3)
    assert sizes == [(3, 3)] * 6 + [(2, 2)]


def test_a_summary_has_sentences_of_the_text(lm):
    text = "The film was good. People loved the music! The actor was old. A dog played by the river. It was slow."
    found = lm.summarize(text, 2)
    assert len(found) == 2
    assert all(sentence.text in text for sentence in found)
    assert lm.summarize(text, 99) == lm.summarize(text, 5)
    assert [sentence.text for sentence in lm.summarize(text, 5)] == split_sentences(text)
    assert sum(sentence.centrality for sentence in lm.summarize(text, 5)) == pytest.approx(1)


@pytest.mark.parametrize("text", ["\U0001f600", "!!!", "word " * 5000])
def test_odd_texts_are_summarized(lm, text):
    (found,) = lm.summarize(text)
    assert found.centrality == pytest.approx(1)


def test_an_empty_text_is_refused(lm):
    with pytest.raises(CompactLMError, match="the text is empty"):
        lm.summarize(" \n")
