import json

import numpy as np
import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.bert.mask_scores import MaskedToken, Scores, score
from compactlm.evaluation.words.forgetting import forgetting, with_body_of
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import write_figures


@pytest.fixture
def masked_lm(tiny_bert):
    return BertForMaskedLM.from_pretrained(tiny_bert).eval()


@pytest.fixture
def tokens(tiny_sequences, tiny_tokenizer):
    return [MaskedToken([*one[:2], tiny_tokenizer.mask_token_id, *one[3:]], 2, one[2]) for one in tiny_sequences]


def test_an_unchanged_body_has_forgotten_nothing(masked_lm, tokens, tiny_config):
    classifier = BertForSequenceClassification(tiny_config)
    classifier.bert.load_state_dict(masked_lm.bert.state_dict(), strict=False)
    before, after = (score(model, tokens, 0, 512, "words") for model in (masked_lm, with_body_of(classifier, masked_lm)))
    assert (before.ranks == after.ranks).all()
    assert forgetting(before, after, Resampler(100, 1))["surprise"].value == pytest.approx(0, abs=1e-6)


def test_the_joined_model_has_the_old_head_and_the_body_of_the_task(masked_lm, tokens, tiny_classifier):
    classifier = BertForSequenceClassification.from_pretrained(tiny_classifier).eval()
    joined = with_body_of(classifier, masked_lm)
    ids = torch.tensor([tokens[0].sequence])
    with torch.inference_mode():
        expected = masked_lm.cls(classifier.bert(ids).last_hidden_state)
        found = joined.cls(joined.bert(ids).last_hidden_state)
    assert torch.equal(found, expected)
    assert not torch.equal(joined.bert.embeddings.word_embeddings.weight, masked_lm.bert.embeddings.word_embeddings.weight)
    assert torch.equal(joined.cls.predictions.decoder.weight, masked_lm.bert.embeddings.word_embeddings.weight)


def test_figures_agree_with_a_hand_calculation():
    before = Scores(np.array([0, 0, 0, 0, 3] * 8), np.full(40, -1.0))
    after = Scores(np.array([0, 1, 0, 0, 0] * 8), np.full(40, -1.5))
    found = forgetting(before, after, Resampler(200, 1))
    assert (found["before"].value, found["after"].value, found["kept"].judged) == (0.8, 0.8, True)
    assert found["kept"].value == pytest.approx(1)
    assert found["kept"].low < 1 < found["kept"].high
    assert found["surprise"].value == pytest.approx(0.5)
    json.dumps(write_figures(found), allow_nan=False)


def test_without_a_right_answer_there_is_nothing_to_keep():
    nothing = Scores(np.full(40, 7), np.full(40, -1.0))
    assert forgetting(nothing, nothing, Resampler(100, 1))["kept"].value is None
