import pytest
import torch

from compactlm.bert.models import pad_tensors
from compactlm.distillation.signals.alignment import WordPieces, shares

TOKENS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "##b", "##c", "##bc", "ab", "abc", "d"]
PIECES = WordPieces(TOKENS)


def spans(*texts):
    sequences = [[TOKENS.index(token) for token in f"[CLS] {text} [SEP]".split()] for text in texts]
    return PIECES.spans(*pad_tensors(sequences))


def test_pieces_of_a_word_share_its_token():
    found = shares(spans("a ##b ##c d"), spans("abc d"))[0]
    third = pytest.approx(1 / 3)
    assert found[1:4, 1].tolist() == [third] * 3
    assert found[4].tolist() == [0, 0, 1, 0]
    assert torch.allclose(found.sum(dim=0), torch.ones(4))


def test_pieces_with_other_limits_share_by_characters():
    found = shares(spans("ab ##c"), spans("a ##bc"))[0, 1:3, 1:3]
    assert torch.allclose(found, torch.tensor([[1.0, 0.5], [0.0, 0.5]]))


def test_an_unknown_word_takes_all_pieces_of_the_other_side():
    assert shares(spans("[UNK] d"), spans("a ##bc d"))[0, 1].tolist() == [0, 1, 1, 0, 0]


def test_equal_tokens_are_aligned_one_to_one_in_rows_of_any_length():
    texts = "abc d", "a ##b d d"
    found = shares(spans(*texts), spans(*texts))
    assert torch.equal(found[1], torch.eye(6))
    assert torch.equal(found[0, :4, :4], torch.eye(4))
    assert not found[0, 4:].any()  # padding covers nothing
    assert not found[0, :, 4:].any()


def test_the_last_token_is_the_end_also_of_a_truncated_text():
    found = shares(spans("d d"), spans("d d abc d"))[0]
    assert found[-1].tolist() == [0, 0, 0, 0, 0, 1]
    assert found[:, 3:5].sum() == 0
