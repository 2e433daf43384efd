import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertForSequenceClassification

from compactlm import CompactLM


@pytest.fixture(scope="module")
def lm(heads_export):
    return CompactLM(heads_export, threads=1)


def test_scores_are_the_outputs_of_the_model(heads_root, lm, tiny_texts):
    model = BertForSequenceClassification.from_pretrained(heads_root / "rating").eval()
    tokenizer = AutoTokenizer.from_pretrained(heads_root / "rating")
    with torch.inference_mode():
        expected = model(**tokenizer(tiny_texts, padding=True, return_tensors="pt")).logits[:, 0].numpy()
    assert expected.std() > 0.01
    for root in (heads_root, lm.root):
        found = list(CompactLM(root, threads=1).score_all(tiny_texts))
        np.testing.assert_allclose([one.score for one in found], expected, atol=1e-4)
    assert lm.score(tiny_texts[0]).score == pytest.approx(expected[0], abs=1e-4)


@pytest.mark.parametrize("text", ["", "dog", "\U0001f600\U0001f680", "שלום", "good " * 10_000])
def test_odd_texts_have_a_score(lm, text):
    found = lm.score(text)
    assert np.isfinite(found.score)
    assert found.cut == (len(text) > 1000)
    assert found.unknown == (text not in ("dog", "good " * 10_000))
