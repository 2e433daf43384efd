import numpy as np
import pytest

from compactlm.improvement.describing import count_words, describe, different_words


@pytest.fixture(scope="module")
def tokenizer(on_onnx):
    return on_onnx.embedding.model.tokenizer


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("the film was good", (4, 0, 0)),
        ("the films were good.", (5, 0, 2)),  # film ##s, w ##e ##r ##e, and the full stop is a word
        ("\u4e2d good", (2, 1, 0)),
        ("", (0, 0, 0)),
    ],
)
def test_words_unknown_words_and_split_words_are_counted(tokenizer, text, counts):
    assert count_words(tokenizer, tokenizer.encode([text])[0]) == counts


def test_words_are_divided_as_the_tokenizer_divides_them(tokenizer):
    assert different_words(tokenizer, "The FILM, the \u00e9t\u00e9... good!") == {"the", "film", "ete", "good"}


def test_texts_are_described_as_the_model_answers_them(on_onnx, tiny_texts):
    texts = tiny_texts[:20]
    found = describe(texts, on_onnx.embedding, on_onnx.task("sentiment"))
    assert np.allclose(found.vectors, on_onnx.embed(texts))
    answers = [on_onnx.classify(text) for text in texts]
    assert [("negative", "positive")[at] for at in found.answers] == [one.label for one in answers]
    assert found.confidence == pytest.approx([one.probability for one in answers], abs=1e-6)
    assert len(found) == 20


def test_a_task_without_labels_has_vectors_and_words_alone(on_onnx):
    found = describe(["good film"], on_onnx.embedding, None)
    assert (found.probabilities, found.answers, found.confidence) == (None, None, None)
    assert found.vectors.shape == (1, 32)
