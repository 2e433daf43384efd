"""Random masks for training a masked language model (Devlin et al. 2019, BERT, section 3.1)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from compactlm.draws import draw_bits

IGNORED = -100  # the label that torch's cross-entropy ignores
CACHED_ROWS = 50_000  # these rows take about 50 MB at 64 tokens


def generator_for(key: str) -> torch.Generator:
    """Return a random generator that depends only on `key`."""
    return torch.Generator().manual_seed(draw_bits(key) >> 1)


def mask_tokens(
    input_ids: torch.Tensor, special: torch.Tensor, mask_id: int, rate: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose a share of the tokens for prediction: 80 % become [MASK], 10 % a random token, 10 % stay.

    Args:
        input_ids: int64, of any shape.
        special: bool [vocabulary], True for tokens that are never chosen and never drawn.
        mask_id: id of [MASK].
        rate: the share of ordinary tokens to choose.
        generator: source of randomness.

    Returns:
        The masked ids, and the labels: the original id of a chosen token, IGNORED elsewhere.
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
    """Sequences, each masked in one or more ways. Row `masking * number of sequences + position` is one sequence in one masking.

    A row's masks depend only on (key, id, masking), so the signal cache and the online teacher see the same masks.
    """

    def __init__(
        self, ids: Sequence[str], sequences: Sequence[Sequence[int]], tokenizer: Any, rate: float, key: str, maskings: int = 1
    ) -> None:
        """Take the sequences, their ids, the tokenizer, the share to mask, a seed, and the number of maskings of each sequence."""
        self.sequences, self.rate, self.key = sequences, rate, key
        self.ids = [f"{name}/{masking}" for masking in range(maskings) for name in ids]
        self.lengths = [len(sequence) for sequence in sequences] * maskings
        self.mask_id, self.padding = tokenizer.mask_token_id, tokenizer.pad_token_id
        self.special = torch.zeros(len(tokenizer), dtype=torch.bool)
        self.special[tokenizer.all_special_ids] = True
        # Every epoch uses a row again, and drawing masks takes a tenth of a small student's step.
        self._mask_row = functools.lru_cache(CACHED_ROWS)(self._draw)

    def _draw(self, row: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the masked ids of a row and its labels, int32 [tokens]."""
        sequence = torch.tensor(self.sequences[row % len(self.sequences)])
        generator = generator_for(f"{self.key}/{self.ids[row]}")
        masked, labels = mask_tokens(sequence, self.special, self.mask_id, self.rate, generator)
        return masked.int(), labels.int()

    def model_inputs(self, rows: Sequence[int]) -> dict[str, torch.Tensor]:
        """Return input_ids, attention_mask and labels, each int64 [rows, tokens]."""
        each = [self._mask_row(row) for row in rows]
        input_ids = pad_sequence([masked for masked, _ in each], batch_first=True, padding_value=self.padding).long()
        labels = pad_sequence([labels for _, labels in each], batch_first=True, padding_value=IGNORED).long()
        lengths = torch.tensor([len(masked) for masked, _ in each])
        attention_mask = (torch.arange(input_ids.shape[1])[None, :] < lengths[:, None]).long()
        return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


class MaskedExamples:
    """Masked text to train on. An epoch uses every sequence once, in one of its maskings."""

    def __init__(self, tokenized: MaskedSequences, maskings: int) -> None:
        """Take the masked sequences and the number of maskings of each."""
        self.tokenized, self.maskings = tokenized, maskings
        self.count = len(tokenized.ids) // maskings
        self.ids, self.lengths = tokenized.ids[: self.count], tokenized.lengths[: self.count]

    def rows(self, positions: Sequence[int], epoch: int) -> list[int]:
        """Return the rows of `tokenized` for the sequences at these positions in an epoch."""
        return [epoch % self.maskings * self.count + position for position in positions]

    def batch(self, positions: Sequence[int], epoch: int) -> dict[str, torch.Tensor]:
        """Return input_ids, attention_mask and labels, each int64 [rows, tokens]."""
        return self.tokenized.model_inputs(self.rows(positions, epoch))
