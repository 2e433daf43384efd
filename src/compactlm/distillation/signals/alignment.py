"""Align the tokens of two tokenizers that split a text into the same words.

The student's vocabulary is a subset of the teacher's, so the student splits some words into more tokens than the teacher. To compare both,
each token gets a span on a common scale. Word number n covers the interval from n to n + 1, and each of its tokens covers a share of that
interval in proportion to its number of characters. Words that one tokenizer does not know still cover their interval.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

CONTINUATION = "##"
END = 1e6  # the position of the last token, [SEP], even if the text was truncated


class WordPieces:
    """The lengths of a vocabulary's tokens, and whether each token begins a word."""

    def __init__(self, tokens: Sequence[str]) -> None:
        """Take the tokens in the order of their ids."""
        self.begins = torch.tensor([not token.startswith(CONTINUATION) for token in tokens])
        self.sizes = torch.tensor([max(len(token.removeprefix(CONTINUATION)), 1) for token in tokens], dtype=torch.float64)

    def spans(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the start and the end of each token's span, both float64 [rows, tokens]; the span of padding is empty.

        Args:
            input_ids: int64 [rows, tokens].
            attention_mask: int64 [rows, tokens].
        """
        real = attention_mask.bool()
        first, sizes = self.begins[input_ids], self.sizes[input_ids] * real
        first[:, 0] = True
        word = first.cumsum(dim=1) - 1
        before = sizes.cumsum(dim=1) - sizes
        start_of_word = torch.where(first, before, before.new_zeros(())).cummax(dim=1).values
        whole = torch.zeros_like(sizes).scatter_add_(1, word, sizes).gather(1, word).clamp(min=1)
        begin = word + (before - start_of_word) / whole
        end = begin + sizes / whole
        last = real & (attention_mask.cumsum(dim=1) == attention_mask.sum(dim=1, keepdim=True))
        begin, end = begin.masked_fill(last, END), end.masked_fill(last, END + 1)
        return begin, torch.where(real, end, begin)


def shares(own: tuple[torch.Tensor, torch.Tensor], others: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Return how much of each other token's span lies in each own token's span, float32 [rows, own tokens, other tokens].

    The values are shares from 0 to 1. For an other token that the own tokens cover completely, they add up to 1. Both arguments are results
    of `WordPieces.spans`.
    """
    (begin, end), (start, stop) = own, others
    common = torch.minimum(end[:, :, None], stop[:, None]) - torch.maximum(begin[:, :, None], start[:, None])
    return (common.clamp(min=0) / (stop - start).clamp(min=1e-9)[:, None]).float()
