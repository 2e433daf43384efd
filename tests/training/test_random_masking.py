import pytest
import torch

from compactlm.training.random_masking import IGNORED, MaskedSequences, generator_for, mask_tokens

VOCABULARY, MASK = 500, 4
SPECIAL = torch.arange(VOCABULARY) < 5


@pytest.fixture(scope="module")
def many():
    """One large masking: ids, masked ids and labels, int64 [200, 200]."""
    ids = torch.randint(0, VOCABULARY, (200, 200), generator=generator_for("ids"))
    return ids, *mask_tokens(ids, SPECIAL, MASK, 0.2, generator_for("mask"))


def test_a_share_of_the_ordinary_tokens_is_chosen_and_the_others_are_unchanged(many):
    ids, masked, labels = many
    chosen, ordinary = labels != IGNORED, ~SPECIAL[ids]
    assert chosen[ordinary].float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert not chosen[~ordinary].any()
    assert torch.equal(labels[chosen], ids[chosen])
    assert torch.equal(masked[~chosen], ids[~chosen])


def test_chosen_tokens_are_masked_kept_or_replaced_80_10_10(many):
    ids, masked, labels = many
    chosen = labels != IGNORED
    became_mask = masked[chosen] == MASK
    stayed = masked[chosen] == ids[chosen]
    assert became_mask.float().mean().item() == pytest.approx(0.8, abs=0.02)
    assert stayed.float().mean().item() == pytest.approx(0.1, abs=0.015)
    drawn = masked[chosen][~became_mask & ~stayed]
    assert not SPECIAL[drawn].any()
    assert len(set(drawn.tolist())) > VOCABULARY / 2


def make_masked(sequences, tokenizer, rate=0.3, key="17/general", maskings=1):
    return MaskedSequences([f"s{at}" for at in range(len(sequences))], sequences, tokenizer, rate, key, maskings)


def test_padding_and_special_tokens_are_never_predicted(tiny_tokenizer, tiny_sequences):
    examples = make_masked(tiny_sequences, tiny_tokenizer, 0.9)
    batch = examples.model_inputs(range(len(tiny_sequences)))
    assert set(batch) == {"input_ids", "attention_mask", "labels"}
    predicted = batch["labels"] != IGNORED
    assert predicted.any()
    assert batch["attention_mask"][predicted].all()
    for row, sequence in enumerate(tiny_sequences):
        assert not predicted[row, 0]
        assert not predicted[row, len(sequence) - 1 :].any()
        assert (batch["input_ids"][row, len(sequence) :] == tiny_tokenizer.pad_token_id).all()
    assert examples.lengths == [len(sequence) for sequence in tiny_sequences]


def test_the_masks_of_a_row_do_not_depend_on_the_batch_or_on_other_rows(tiny_tokenizer, tiny_sequences):
    whole = make_masked(tiny_sequences, tiny_tokenizer, maskings=2)
    together = whole.model_inputs(range(len(whole.ids)))
    for row in (0, 17, len(tiny_sequences) + 3):
        for name, alone in whole.model_inputs([row]).items():
            assert torch.equal(together[name][row : row + 1, : alone.shape[1]], alone)
    moved = MaskedSequences(["s9", "s5"], [tiny_sequences[9], tiny_sequences[5]], tiny_tokenizer, 0.3, "17/general")
    for line, row in enumerate((9, 5)):
        expected = whole.model_inputs([row])["labels"]
        assert torch.equal(moved.model_inputs([line])["labels"], expected)


def test_maskings_keys_and_ids_give_different_masks(tiny_tokenizer, tiny_sequences):
    sequence = max(tiny_sequences, key=len)
    maskings = MaskedSequences(["a", "b"], [sequence] * 2, tiny_tokenizer, 0.3, "17/general", 3)
    assert maskings.ids == ["a/0", "b/0", "a/1", "b/1", "a/2", "b/2"]
    assert maskings.lengths == [len(sequence)] * 6
    other = MaskedSequences(["a"], [sequence], tiny_tokenizer, 0.3, "18/general")
    labels = [*maskings.model_inputs(range(6))["labels"], *other.model_inputs([0])["labels"]]
    assert len({tuple(row.tolist()) for row in labels}) == 7
    again = MaskedSequences(["a", "b"], [sequence] * 2, tiny_tokenizer, 0.3, "17/general", 3)
    torch.manual_seed(9)
    assert all(torch.equal(tensor, maskings.model_inputs(range(6))[name]) for name, tensor in again.model_inputs(range(6)).items())
