import pytest
import torch
from transformers import BertForMaskedLM, BertTokenizer

from compactlm.teacher.proposer import MaskedWordProposer
from tests.fixtures.builders import make_config

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "##s", ",", "3d", "very", "warm"]


@pytest.fixture(scope="module")
def tokenizer():
    return BertTokenizer(vocab={token: number for number, token in enumerate(TOKENS)})


def make_proposer(tokenizer, **options):
    torch.manual_seed(0)
    return MaskedWordProposer(BertForMaskedLM(make_config(vocab_size=len(TOKENS), max_position_embeddings=12)), tokenizer, **options)


def test_each_mask_gets_whole_words_by_descending_weight(tokenizer):
    proposer = make_proposer(tokenizer, batch_tokens=64)
    [two, none, one] = proposer.propose(["good [MASK], [MASK] film", "good film", "[MASK]"])
    assert [len(two), len(none), len(one)] == [2, 0, 1]
    for candidates in [*two, *one]:
        assert {word for word, _ in candidates} == {"good", "bad", "film", "very", "warm"}
        weights = [weight for _, weight in candidates]
        assert weights == sorted(weights, reverse=True)
        assert sum(weights) == pytest.approx(1, abs=1e-5)


def test_weights_equal_those_of_the_full_head(tokenizer):
    proposer = make_proposer(tokenizer, batch_tokens=64, top=3)
    [[first, second]] = proposer.propose(["good [MASK] very [MASK]"])
    with torch.inference_mode():
        logits = proposer.model(**tokenizer("good [MASK] very [MASK]", return_tensors="pt")).logits[0]
    for position, candidates in ((2, first), (4, second)):
        expected = torch.softmax(logits[position, proposer.word_ids], dim=0).topk(3)
        assert [word for word, _ in candidates] == [proposer.words[index] for index in expected.indices]
        assert [weight for _, weight in candidates] == pytest.approx(expected.values.tolist(), abs=1e-6)


def test_batches_do_not_change_proposals(tokenizer):
    texts = ["[MASK] film", "good good good [MASK]", "bad [MASK] bad [MASK] bad", "film"]
    small, large = make_proposer(tokenizer, batch_tokens=1).propose(texts), make_proposer(tokenizer, batch_tokens=999).propose(texts)
    assert make_proposer(tokenizer, batch_tokens=64).propose([]) == []
    for one, other in zip(small, large, strict=True):
        for ours, theirs in zip(one, other, strict=True):
            assert [word for word, _ in ours] == [word for word, _ in theirs]
            assert [weight for _, weight in ours] == pytest.approx([weight for _, weight in theirs], abs=1e-5)


def test_masks_beyond_the_models_length_have_no_proposals(tokenizer):
    [[first, last]] = make_proposer(tokenizer, batch_tokens=64).propose([f"[MASK] {'good ' * 20}[MASK]"])
    assert len(first) == 5
    assert last == []
