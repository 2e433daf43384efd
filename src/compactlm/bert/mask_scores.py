"""The scores that a masked language model gives to masked words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm
from transformers import BertForMaskedLM

from compactlm.bert.batches import make_batches
from compactlm.bert.memory import memory_errors
from compactlm.bert.models import masked_logits, pad_tensors
from compactlm.bert.tokenization import encode


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedToken:
    """A sequence with a masked token.

    Attributes:
        sequence: token ids, with [MASK] at `position`. Other masks are read but not scored.
        position: the position of the masked token.
        target: id of the token that was there.
    """

    sequence: list[int]
    position: int
    target: int


@dataclasses.dataclass(frozen=True)
class Scores:
    """The model's scores of each masked token.

    Attributes:
        ranks: the number of tokens with a higher score than the right one, int64 [tokens].
        log_probabilities: the log probability of the right token, in nats, float64 [tokens].
    """

    ranks: npt.NDArray[np.int64]
    log_probabilities: npt.NDArray[np.float64]

    def hits(self, choices: int) -> npt.NDArray[np.float64]:
        """Return 1.0 where the right token is among the model's first `choices`, else 0.0 [tokens]."""
        return (self.ranks < choices).astype(np.float64)

    def first(self, count: int) -> Scores:
        """Return the scores of the first `count` tokens."""
        return Scores(self.ranks[:count], self.log_probabilities[:count])


def score(model: BertForMaskedLM, tokens: Sequence[MaskedToken], padding: int, batch_tokens: int, description: str) -> Scores:
    """Score the right token at each mask. The model is put into eval mode.

    `padding` is the id of [PAD]; a batch has at most `batch_tokens` tokens, padding included.
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

    _predict(model, tokens, padding, batch_tokens, description, keep)
    return Scores(ranks, log_probabilities)


def probabilities(
    model: BertForMaskedLM, tokens: Sequence[MaskedToken], padding: int, batch_tokens: int, description: str
) -> npt.NDArray[np.float32]:
    """Return the model's distribution at each mask, float32 [tokens, vocabulary]. See `score` for the arguments."""
    found = np.zeros((len(tokens), model.config.vocab_size), dtype=np.float32)

    def keep(rows: list[int], logits: torch.Tensor) -> None:
        found[rows] = torch.softmax(logits.float(), dim=1).cpu().numpy()

    _predict(model, tokens, padding, batch_tokens, description, keep)
    return found


def score_words(
    model: BertForMaskedLM,
    tokenizer: Any,
    texts: Sequence[str],
    words: Sequence[Sequence[str]],
    maximum_length: int,
    batch_tokens: int,
    description: str,
) -> npt.NDArray[np.float64]:
    """Score candidate words at the [MASK] of each text. All texts have equally many candidates.

    Returns:
        Log probabilities in nats, float64 [texts, candidates]. A word that is not a single token of the vocabulary gets nan. All words of a
        text get nan if the text has an unknown token, or not exactly one [MASK] after truncation to `maximum_length` tokens.
    """
    vocabulary, mask, unknown = tokenizer.get_vocab(), tokenizer.mask_token_id, tokenizer.unk_token_id
    sequences = encode(tokenizer, texts, maximum_length)
    scores = np.full((len(texts), len(words[0]) if words else 0), np.nan)
    readable = [at for at, tokens in enumerate(sequences) if tokens.count(mask) == 1 and unknown not in tokens]

    def keep(rows: list[int], logits: torch.Tensor) -> None:
        likely = torch.log_softmax(logits.double(), dim=-1).cpu().numpy()
        for line, at in enumerate(readable[row] for row in rows):
            scores[at] = [likely[line, vocabulary[word]] if word in vocabulary else np.nan for word in words[at]]

    masked = [MaskedToken(sequences[at], sequences[at].index(mask), mask) for at in readable]
    _predict(model, masked, tokenizer.pad_token_id, batch_tokens, description, keep)
    return scores


def _predict(
    model: BertForMaskedLM,
    tokens: Sequence[MaskedToken],
    padding: int,
    batch_tokens: int,
    description: str,
    keep: Callable[[list[int], torch.Tensor], None],
) -> None:
    """Call `keep` for each batch with the positions of its tokens and their logits [tokens, vocabulary]."""
    model.eval()
    batches = make_batches([len(token.sequence) for token in tokens], batch_tokens)
    for number, rows in enumerate(tqdm(batches, desc=description, unit="batch", mininterval=0.5), start=1):
        input_ids, attention_mask = pad_tensors([tokens[row].sequence for row in rows], padding)
        where = torch.zeros_like(input_ids, dtype=torch.bool)
        where[torch.arange(len(rows)), torch.tensor([tokens[row].position for row in rows])] = True
        lengths = [len(tokens[row].sequence) for row in rows]
        with memory_errors(description, number, lengths, batch_tokens), torch.inference_mode():
            keep(rows, masked_logits(model, input_ids, attention_mask, where))
