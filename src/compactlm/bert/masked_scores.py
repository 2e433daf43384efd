"""What a masked language model thinks of the piece behind one mask, for many sequences."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm
from transformers import BertForMaskedLM

from compactlm.bert.batches import make_batches, pad
from compactlm.bert.failures import memory_errors
from compactlm.bert.models import masked_logits


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedPiece:
    """A sequence of piece ids, the position that is asked for, and the id that belongs there."""

    sequence: list[int]
    position: int
    target: int


@dataclasses.dataclass(frozen=True)
class Scores:
    """Of each masked piece: how many pieces the model finds likelier [pieces], and its log probability in nats [pieces]."""

    ranks: npt.NDArray[np.int64]
    log_probabilities: npt.NDArray[np.float64]

    def hits(self, choices: int) -> npt.NDArray[np.float64]:
        """Return 1.0 where the piece is among the model's first `choices`, else 0.0 [pieces]."""
        return (self.ranks < choices).astype(np.float64)

    def first(self, count: int) -> Scores:
        """Return the scores of the first pieces alone."""
        return Scores(self.ranks[:count], self.log_probabilities[:count])


def probabilities(
    model: BertForMaskedLM, pieces: Sequence[MaskedPiece], padding: int, batch_tokens: int, description: str
) -> npt.NDArray[np.float32]:
    """Return what the model says of each masked piece, float32 [pieces, vocabulary]; arguments as of `score`, for few pieces."""
    found = np.zeros((len(pieces), model.config.vocab_size), dtype=np.float32)

    def keep(rows: list[int], logits: torch.Tensor) -> None:
        found[rows] = torch.softmax(logits.float(), dim=1).cpu().numpy()

    _ask(model, pieces, padding, batch_tokens, description, keep)
    return found


def score(model: BertForMaskedLM, pieces: Sequence[MaskedPiece], padding: int, batch_tokens: int, description: str) -> Scores:
    """Ask the model for each masked piece; it is put into eval mode.

    Args:
        model: the masked language model.
        pieces: what to ask for; other masks in a sequence are read and not asked for.
        padding: the id of [PAD].
        batch_tokens: pieces a batch, padding included.
        description: what the progress bar says.
    """
    ranks = np.zeros(len(pieces), dtype=np.int64)
    log_probabilities = np.zeros(len(pieces))

    def keep(rows: list[int], logits: torch.Tensor) -> None:
        target = torch.tensor([pieces[row].target for row in rows], device=logits.device)[:, None]
        own = logits.gather(1, target)
        # Of equal logits the one with the lowest id comes first, as in argmax.
        earlier = torch.arange(logits.shape[1], device=logits.device) < target
        ranks[rows] = ((logits > own) | ((logits == own) & earlier)).sum(dim=1).cpu().numpy()
        log_probabilities[rows] = torch.log_softmax(logits.float(), dim=1).gather(1, target)[:, 0].double().cpu().numpy()

    _ask(model, pieces, padding, batch_tokens, description, keep)
    return Scores(ranks, log_probabilities)


def _ask(
    model: BertForMaskedLM,
    pieces: Sequence[MaskedPiece],
    padding: int,
    batch_tokens: int,
    description: str,
    keep: Callable[[list[int], torch.Tensor], None],
) -> None:
    """Give the numbers of the pieces of each batch, and the logits [pieces, vocabulary] behind their masks, to `keep`."""
    model.eval()
    batches = make_batches([len(piece.sequence) for piece in pieces], batch_tokens, None)
    for number, rows in enumerate(tqdm(batches, desc=description, unit="batch", mininterval=0.5), start=1):
        input_ids, attention_mask = pad([pieces[row].sequence for row in rows], padding)
        where = torch.zeros_like(input_ids, dtype=torch.bool)
        where[torch.arange(len(rows)), torch.tensor([pieces[row].position for row in rows])] = True
        lengths = [len(pieces[row].sequence) for row in rows]
        with memory_errors(description, number, lengths, 1, batch_tokens, trains=False), torch.inference_mode():
            keep(rows, masked_logits(model, input_ids.to(model.device), attention_mask.to(model.device), where.to(model.device)))
