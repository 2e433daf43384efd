import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertForMaskedLM

from compactlm.errors import CompactLMError

TEXT = "the [MASK] was very [MASK]."


def assert_alike(found, expected):
    assert [candidate.piece for candidate in found] == [candidate.piece for candidate in expected]
    np.testing.assert_allclose([c.probability for c in found], [c.probability for c in expected], atol=1e-5)


def test_candidates_are_the_likeliest_of_the_model(lm, tiny_bert):
    model, tokenizer = BertForMaskedLM.from_pretrained(tiny_bert).eval(), AutoTokenizer.from_pretrained(tiny_bert)
    inputs = tokenizer(TEXT, return_tensors="pt")
    with torch.inference_mode():
        probabilities = model(**inputs).logits.softmax(dim=-1)[inputs["input_ids"] == tokenizer.mask_token_id]
    expected = probabilities.topk(4)
    found = lm.fill(TEXT, 4)
    assert [[candidate.piece for candidate in mask] for mask in found] == [tokenizer.convert_ids_to_tokens(row) for row in expected.indices]
    np.testing.assert_allclose([[c.probability for c in mask] for mask in found], expected.values.numpy(), atol=1e-4)


def test_a_text_longer_than_the_model_reads_is_read_around_each_mask(lm):
    text = "good " * 300 + "the [MASK] film " + "bad " * 300 + "[MASK]"
    found = lm.fill(text, 3)
    # 62 of the 64 tokens are text: the mask, 31 tokens before it and 30 after it.
    assert_alike(found[0], lm.fill("good " * 30 + "the [MASK] film " + "bad " * 29, 3)[0])
    assert_alike(found[1], lm.fill("bad " * 61 + "[MASK]", 3)[0])


@pytest.mark.parametrize("text", ["", "the cat", "[mask]", "\U0001f600"])
def test_a_text_without_a_mask_is_refused(lm, text):
    with pytest.raises(CompactLMError, match=r"the text has no \[MASK\]"):
        lm.fill(text)


def test_a_mask_alone_is_filled(lm):
    assert len(lm.fill("[MASK]", 10_000)[0]) == lm.mlm.tokenizer.size
    assert sum(candidate.probability for candidate in lm.fill("[MASK]", 10_000)[0]) == pytest.approx(1)
