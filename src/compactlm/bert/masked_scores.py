"""What a masked language model thinks of the token behind one mask, for many sequences."""

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
class MaskedToken:
    """A sequence of token ids, the position that is asked for, and the id that belongs there."""

    sequence: list[int]
    position: int
    target: int


@dataclasses.dataclass(frozen=True)
class Scores:
    """Of each masked token: how many tokens the model finds likelier [tokens], and its log probability in nats [tokens]."""

    ranks: npt.NDArray[np.int64]
    log_probabilities: npt.NDArray[np.float64]

    def hits(self, choices: int) -> npt.NDArray[np.float64]:
        """Return 1.0 where the token is among the model's first `choices`, else 0.0 [tokens]."""
        return (self.ranks < choices).astype(np.float64)

    def first(self, count: int) -> Scores:
        """Return the scores of the first tokens alone."""
        return Scores(self.ranks[:count], self.log_probabilities[:count])


def probabilities(
    model: BertForMaskedLM, tokens: Sequence[MaskedToken], padding: int, batch_tokens: int, description: str
) -> npt.NDArray[np.float32]:
    """Return what the model says of each masked token, float32 [tokens, vocabulary]; arguments as of `score`, for few tokens."""
    found = np.zeros((len(tokens), model.config.vocab_size), dtype=np.float32)

    def keep(rows: list[int], logits: torch.Tensor) -> None:
        found[rows] = torch.softmax(logits.float(), dim=1).cpu().numpy()

    _ask(model, tokens, padding, batch_tokens, description, keep)
    return found


def score(model: BertForMaskedLM, tokens: Sequence[MaskedToken], padding: int, batch_tokens: int, description: str) -> Scores:
    """Ask the model for each masked token; it is put into eval mode.

    Args:
        model: the masked language model.
        tokens: what to ask for; other masks in a sequence are read and not asked for.
        padding: the id of [PAD].
        batch_tokens: tokens a batch, padding included.
        description: what the progress bar says.
    """
    ranks = np.zeros(len(tokens), dtype=np.int64)
    log_probabilities = np.zeros(len(tokens))

    def keep(rows: list[int], logits: torch.Tensor) -> None:
        target = torch.tensor([tokens[row].target for row in rows], device=logits.device)[:, None]
        own = logits.gather(1, target)
        # Of equal logits the one with the lowest id comes first, as in argmax.
        earlier = torch.arange(logits.shape[1], device=logits.device) < target
        ranks[rows] = ((logits > own) | ((logits == own) & earlier)).sum(dim=1).cpu().numpy()
        log_probabilities[rows] = torch.log_softmax(logits.float(), dim=1).gather(1, target)[:, 0].double().cpu().numpy()

    _ask(model, tokens, padding, batch_tokens, description, keep)
    return Scores(ranks, log_probabilities)


def _ask(
    model: BertForMaskedLM,
    tokens: Sequence[MaskedToken],
    padding: int,
    batch_tokens: int,
    description: str,
    keep: Callable[[list[int], torch.Tensor], None],
) -> None:
    """Give the numbers of the tokens of each batch, and the logits [tokens, vocabulary] behind their masks, to `keep`."""
    model.eval()
    batches = make_batches([len(token.sequence) for token in tokens], batch_tokens, None)
    for number, rows in enumerate(tqdm(batches, desc=description, unit="batch", mininterval=0.5), start=1):
        input_ids, attention_mask = pad([tokens[row].sequence for row in rows], padding)
        where = torch.zeros_like(input_ids, dtype=torch.bool)
        where[torch.arange(len(rows)), torch.tensor([tokens[row].position for row in rows])] = True
        lengths = [len(tokens[row].sequence) for row in rows]
        with memory_errors(description, number, lengths, 1, batch_tokens, trains=False), torch.inference_mode():
            keep(rows, masked_logits(model, input_ids.to(model.device), attention_mask.to(model.device), where.to(model.device)))
