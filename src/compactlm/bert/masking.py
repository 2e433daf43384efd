"""Masking of tokens for masked language modelling (Devlin et al. 2019, BERT, section 3.1)."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

IGNORED = -100  # the label that torch's cross-entropy passes over
REMEMBERED = 50_000  # rows, some 50 MB of them at 64 tokens


def generator_for(key: str) -> torch.Generator:
    """Return a random generator that depends on `key` alone."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)


def mask_tokens(
    input_ids: torch.Tensor, special: torch.Tensor, mask_id: int, rate: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mask a share of the tokens: 80 % become [MASK], 10 % a random token, 10 % stay as they are.

    Args:
        input_ids: int64, of any shape.
        special: bool [vocabulary], True for tokens that are never masked and never drawn.
        mask_id: id of [MASK].
        rate: share of the ordinary tokens that are predicted.
        generator: source of randomness.

    Returns:
        The masked ids, and the labels: the original id where it is to be predicted, IGNORED elsewhere.
    """
    ordinary = ~special[input_ids]
    chosen = (torch.rand(input_ids.shape, generator=generator) < rate) & ordinary
    fate = torch.rand(input_ids.shape, generator=generator)
    drawable = torch.nonzero(~special).squeeze(1)
    random_ids = drawable[torch.randint(len(drawable), input_ids.shape, generator=generator)]
    masked = torch.where(chosen & (fate < 0.8), torch.full_like(input_ids, mask_id), input_ids)
    masked = torch.where(chosen & (fate >= 0.9), random_ids, masked)
    return masked, torch.where(chosen, input_ids, torch.full_like(input_ids, IGNORED))


class MaskedSequences:
    """Sequences masked in one or several ways; row `masking * number of sequences + position` is a sequence in one of them.

    A row's masks depend on (key, id, masking) alone, so that a cache and the teacher online see the same.
    """

    def __init__(
        self, ids: Sequence[str], sequences: Sequence[Sequence[int]], tokenizer: Any, rate: float, key: str, maskings: int = 1
    ) -> None:
        """Take the sequences and their ids, the tokenizer they belong to, the share to mask, the seed's name and the ways."""
        self.sequences, self.rate, self.key = sequences, rate, key
        self.ids = [f"{name}/{masking}" for masking in range(maskings) for name in ids]
        self.lengths = [len(sequence) for sequence in sequences] * maskings
        self.mask_id, self.padding = tokenizer.mask_token_id, tokenizer.pad_token_id
        self.special = torch.zeros(len(tokenizer), dtype=torch.bool)
        self.special[tokenizer.all_special_ids] = True
        # A row is asked for in every epoch, and drawing its masks takes as long as a tenth of a small student's step.
        self._mask_row = functools.lru_cache(REMEMBERED)(self._draw)

    def _draw(self, row: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the masked ids of a row and its labels, int32 [tokens]."""
        sequence = torch.tensor(self.sequences[row % len(self.sequences)])
        generator = generator_for(f"{self.key}/{self.ids[row]}")
        masked, labels = mask_tokens(sequence, self.special, self.mask_id, self.rate, generator)
        return masked.int(), labels.int()

    def question(self, rows: Sequence[int]) -> dict[str, torch.Tensor]:
        """Return input_ids, attention_mask and labels, each int64 [rows, tokens]."""
        each = [self._mask_row(row) for row in rows]
        input_ids = pad_sequence([masked for masked, _ in each], batch_first=True, padding_value=self.padding).long()
        labels = pad_sequence([labels for _, labels in each], batch_first=True, padding_value=IGNORED).long()
        lengths = torch.tensor([len(masked) for masked, _ in each])
        attention_mask = (torch.arange(input_ids.shape[1])[None, :] < lengths[:, None]).long()
        return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


class MaskedExamples:
    """Masked text to train on; an epoch reads every sequence once, in one of its maskings."""

    def __init__(self, questions: MaskedSequences, maskings: int) -> None:
        """Take the masked sequences, and in how many ways each is masked."""
        self.questions, self.maskings = questions, maskings
        self.count = len(questions.ids) // maskings
        self.ids, self.lengths = questions.ids[: self.count], questions.lengths[: self.count]

    def rows(self, positions: Sequence[int], epoch: int) -> list[int]:
        """Return the rows of `questions` that the sequences at these positions are in an epoch."""
        return [epoch % self.maskings * self.count + position for position in positions]

    def batch(self, positions: Sequence[int], epoch: int) -> dict[str, torch.Tensor]:
        """Return input_ids, attention_mask and labels, each int64 [rows, tokens]."""
        return self.questions.question(self.rows(positions, epoch))
