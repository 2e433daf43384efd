"""How likely a masked language model finds words in place of a [MASK]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import BertForMaskedLM

from compactlm.bert.batches import make_batches, pad
from compactlm.bert.failures import memory_errors
from compactlm.bert.models import masked_logits
from compactlm.bert.tokenization import encode


def score_words(
    model: BertForMaskedLM,
    tokenizer: Any,
    texts: Sequence[str],
    words: Sequence[Sequence[str]],
    maximum_length: int,
    batch_tokens: int,
    description: str,
) -> npt.NDArray[np.float64]:
    """Score words in place of the [MASK] of each text.

    Args:
        model: the masked language model.
        tokenizer: the tokenizer that belongs to it.
        texts: each with one [MASK].
        words: for each text, as many words as for any other.
        maximum_length: tokens a sequence; longer texts are cut.
        batch_tokens: tokens a batch, padding included.
        description: named where memory does not suffice.

    Returns:
        Log probabilities in nats, float64 [texts, words]; nan for a word that is not one token of the vocabulary, and throughout for
        a text that has a token which the vocabulary lacks, or its [MASK] cut off.
    """
    model.eval()
    vocabulary, unknown = tokenizer.get_vocab(), tokenizer.unk_token_id
    sequences = encode(tokenizer, texts, maximum_length)
    scores = np.full((len(texts), len(words[0]) if words else 0), np.nan)
    readable = [at for at, tokens in enumerate(sequences) if tokens.count(tokenizer.mask_token_id) == 1 and unknown not in tokens]
    for number, rows in enumerate(make_batches([len(sequences[at]) for at in readable], batch_tokens, None), start=1):
        chosen = [readable[row] for row in rows]
        input_ids, attention_mask = pad([sequences[at] for at in chosen], tokenizer.pad_token_id)
        where = input_ids == tokenizer.mask_token_id
        lengths = [len(sequences[at]) for at in chosen]
        with memory_errors(description, number, lengths, 1, batch_tokens, trains=False), torch.inference_mode():
            logits = masked_logits(model, input_ids.to(model.device), attention_mask.to(model.device), where.to(model.device))
            likely = torch.log_softmax(logits.double(), dim=-1).cpu().numpy()
        for line, at in enumerate(chosen):
            for column, word in enumerate(words[at]):
                if word in vocabulary:
                    scores[at, column] = likely[line, vocabulary[word]]
    return scores
