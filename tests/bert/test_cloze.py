import numpy as np
import pytest
import torch

from compactlm.bert.cloze import score_words


def test_scores_are_log_probabilities_at_the_mask(masked_teacher, tiny_tokenizer):
    texts = ["the film was [MASK]", "a very [MASK] story ended", "the [MASK]"]
    words = [("good", "bad"), ("old", "young"), ("dog", "elephants")]
    scores = score_words(masked_teacher, tiny_tokenizer, texts, words, 16, 16, "test")
    assert scores.shape == (3, 2)
    assert np.isnan(scores[2, 1])
    for text, pair, found in zip(texts[:2], words, scores, strict=False):
        encoded = tiny_tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            logits = masked_teacher.eval()(**encoded).logits
        likely = torch.log_softmax(logits[encoded["input_ids"] == tiny_tokenizer.mask_token_id][0], dim=-1)
        expected = [float(likely[tiny_tokenizer.convert_tokens_to_ids(word)]) for word in pair]
        assert found == pytest.approx(expected, abs=1e-4)


def test_what_cannot_be_read_has_no_score(masked_teacher, tiny_tokenizer):
    texts = ["a \u4e2d [MASK]", "the film was very good and [MASK]", "no mask", "[MASK] and [MASK]"]
    scores = score_words(masked_teacher, tiny_tokenizer, texts, [("good", "bad")] * 4, 6, 16, "test")
    assert np.isnan(scores).all()


def test_no_texts(masked_teacher, tiny_tokenizer):
    assert score_words(masked_teacher, tiny_tokenizer, [], [], 6, 16, "test").shape == (0, 0)
