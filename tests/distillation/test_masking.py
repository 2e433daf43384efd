import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compactlm.distillation.masking import IGNORED, MaskedSequences, generator_for, mask_pieces

VOCABULARY, MASK = 500, 4
SPECIAL = torch.arange(VOCABULARY) < 5


@pytest.fixture(scope="module")
def many():
    """One large masking: ids, masked ids and labels, int64 [200, 200]."""
    ids = torch.randint(0, VOCABULARY, (200, 200), generator=generator_for("ids"))
    return ids, *mask_pieces(ids, SPECIAL, MASK, 0.2, generator_for("mask"))


def test_the_rate_is_of_ordinary_pieces(many):
    ids, _, labels = many
    ordinary = ~SPECIAL[ids]
    assert (labels[ordinary] != IGNORED).float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert (labels[~ordinary] == IGNORED).all()


def test_labels_are_the_original_pieces_and_the_rest_stays(many):
    ids, masked, labels = many
    chosen = labels != IGNORED
    assert torch.equal(labels[chosen], ids[chosen])
    assert torch.equal(masked[~chosen], ids[~chosen])


def test_80_10_10(many):
    ids, masked, labels = many
    chosen = labels != IGNORED
    became_mask = masked[chosen] == MASK
    stayed = masked[chosen] == ids[chosen]
    assert became_mask.float().mean().item() == pytest.approx(0.8, abs=0.02)
    assert stayed.float().mean().item() == pytest.approx(0.1, abs=0.015)
    drawn = masked[chosen][~became_mask & ~stayed]
    assert not SPECIAL[drawn].any()
    assert len(set(drawn.tolist())) > VOCABULARY / 2


@given(key=st.text(max_size=8), rate=st.floats(0.01, 0.99))
def test_masking_depends_on_the_key_alone(key, rate):
    ids = torch.arange(60).reshape(2, 30)
    torch.manual_seed(0)
    one = mask_pieces(ids, SPECIAL, MASK, rate, generator_for(key))
    torch.manual_seed(1)
    two = mask_pieces(ids, SPECIAL, MASK, rate, generator_for(key))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
    assert not torch.equal(torch.rand(9, generator=generator_for(key)), torch.rand(9, generator=generator_for(key + "x")))


def test_padding_and_special_tokens_are_never_predicted(tiny_tokenizer, tiny_sequences):
    examples = MaskedSequences(tiny_sequences, tiny_tokenizer, 0.9, "17/general")
    batch = examples.batch(range(len(tiny_sequences)), 0)
    assert set(batch) == {"input_ids", "attention_mask", "labels"}
    predicted = batch["labels"] != IGNORED
    assert predicted.any()
    assert batch["attention_mask"][predicted].all()
    for row, sequence in enumerate(tiny_sequences):
        assert not predicted[row, 0]
        assert not predicted[row, len(sequence) - 1 :].any()
    assert examples.lengths == [len(sequence) for sequence in tiny_sequences]


def test_every_epoch_masks_afresh_but_a_repetition_does_not(tiny_tokenizer, tiny_sequences):
    examples = MaskedSequences(tiny_sequences, tiny_tokenizer, 0.3, "17/general")
    first, again, next_epoch = examples.batch([3, 5], 0), examples.batch([3, 5], 0), examples.batch([3, 5], 1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["labels"], next_epoch["labels"])
    other_seed = MaskedSequences(tiny_sequences, tiny_tokenizer, 0.3, "18/general").batch([3, 5], 0)
    assert not torch.equal(first["labels"], other_seed["labels"])
