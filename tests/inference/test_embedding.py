import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertModel

from compactlm import CompactLM
from compactlm.inference.embedding import SentenceEmbedding, compare, unit

TEXTS = ["the film was good", "it", "a very slow story, loved!"]


def means(tiny_bert, texts):
    model, tokenizer = BertModel.from_pretrained(tiny_bert).eval(), AutoTokenizer.from_pretrained(tiny_bert)
    with torch.inference_mode():
        states = [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0, 1:-1] for text in texts]
    return [state.mean(dim=0).numpy() for state in states]


def test_a_vector_is_the_mean_of_a_texts_pieces(lm, tiny_bert):
    found = lm.embed(TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, unit(np.stack(means(tiny_bert, TEXTS))), atol=1e-4)


def test_nothing_of_a_long_text_is_left_out(lm):
    (long,) = lm.embed(["good " * 62 + "bad " * 31])
    parts = SentenceEmbedding(lm.embedding.model, None)._embed(["good " * 62, "bad " * 31])
    # Lengths of unit vectors are lost, so the direction must lie between those of the parts.
    assert compare(long, parts[0]).similarity < 0.9999
    assert compare(long, parts[1]).similarity > compare(parts[0], parts[1]).similarity


@pytest.mark.parametrize("text", ["", "  \n", "\0"])
def test_a_text_of_nothing_is_near_nothing(lm, text):
    assert not lm.embed([text]).any()
    assert lm.compare(text, "good").similarity == 0


def test_no_texts(lm):
    assert len(lm.embed([])) == 0


def test_comparison(lm):
    assert lm.compare("good", "good").similarity == pytest.approx(1, abs=1e-5)
    found = lm.compare("the film was good", "people")
    assert -1 <= found.similarity < 1
    assert found.distance == pytest.approx(np.sqrt(2 - 2 * found.similarity), abs=1e-4)


def test_both_backends_give_the_same(on_torch, on_onnx, tiny_texts):
    np.testing.assert_allclose(on_torch.embed(tiny_texts), on_onnx.embed(tiny_texts), atol=1e-4)


def test_an_export_without_an_embedding_says_so(export_root):
    with pytest.raises(Exception, match=r"mlm/config.json|has no model 'embedding'"):
        CompactLM(export_root / "sentiment" / "onnx").embed(["good"])
