import numpy as np
import pytest
import torch
from transformers import BertForMaskedLM

from compactlm.bert.mask_scores import MaskedToken, score, score_words


@pytest.fixture(scope="module")
def model(tiny_bert):
    return BertForMaskedLM.from_pretrained(tiny_bert)


def make_tokens(tokenizer, sequences):
    """Mask the second and the second-last token of each sequence; only the second is to be scored."""
    tokens = []
    for sequence in sequences:
        masked = list(sequence)
        masked[1] = masked[-2] = tokenizer.mask_token_id
        tokens.append(MaskedToken(masked, 1, sequence[1]))
    return tokens


@pytest.mark.parametrize("batch_tokens", [40, 4096])
def test_scores_equal_those_of_transformers(model, tiny_tokenizer, tiny_sequences, batch_tokens):
    tokens = make_tokens(tiny_tokenizer, tiny_sequences[:40])
    found = score(model.train(), tokens, tiny_tokenizer.pad_token_id, batch_tokens, "words")
    assert not model.training
    for at, token in enumerate(tokens):
        with torch.inference_mode():
            logits = model(torch.tensor([token.sequence])).logits[0, 1]
        order = logits.argsort(descending=True, stable=True).tolist()
        assert found.ranks[at] == order.index(token.target)
        assert found.log_probabilities[at] == pytest.approx(float(logits.log_softmax(0)[token.target]), abs=1e-4)
    assert (found.hits(1) == (found.ranks == 0)).all()
    assert (found.hits(5) == (found.ranks < 5)).all()


def test_equal_logits_rank_as_argmax_does(model, tiny_tokenizer, tiny_sequences):
    with torch.no_grad():
        torch.nn.init.zeros_(model.cls.predictions.transform.LayerNorm.weight)
        torch.nn.init.zeros_(model.cls.predictions.transform.LayerNorm.bias)
        torch.nn.init.zeros_(model.cls.predictions.bias)
    tokens = make_tokens(tiny_tokenizer, tiny_sequences[:5])
    found = score(model, tokens, tiny_tokenizer.pad_token_id, 4096, "words")
    assert found.ranks.tolist() == [token.target for token in tokens]
    assert np.allclose(found.log_probabilities, -np.log(model.config.vocab_size))


def test_scores_of_words_are_log_probabilities_at_the_mask(masked_teacher, tiny_tokenizer):
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


def test_words_have_no_score_in_text_that_cannot_be_scored(masked_teacher, tiny_tokenizer):
    texts = ["a \u4e2d [MASK]", "the film was very good and [MASK]", "no mask", "[MASK] and [MASK]"]
    scores = score_words(masked_teacher, tiny_tokenizer, texts, [("good", "bad")] * 4, 6, 16, "test")
    assert np.isnan(scores).all()
    assert score_words(masked_teacher, tiny_tokenizer, [], [], 6, 16, "test").shape == (0, 0)
