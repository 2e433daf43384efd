"""Propose likely words for each `[MASK]` by a masked language model, for many texts in few large batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from tqdm import tqdm
from transformers import BertForMaskedLM

from compactlm.bert.batches import make_batches
from compactlm.bert.models import masked_logits, pad_tensors
from compactlm.bert.tokenization import encode
from compactlm.corpus.augment.contextual import MASK, Candidates


class MaskedWordProposer:
    """Proposes words with a BERT that has a masked-language-model head; see `compactlm.corpus.augment.contextual.Proposer`.

    The model is put into eval mode. Each mask has at most `top` proposals.
    """

    def __init__(self, model: BertForMaskedLM, tokenizer: Any, batch_tokens: int, top: int = 20) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer
        self.batch_tokens = batch_tokens
        tokens = tokenizer.convert_ids_to_tokens(list(range(model.config.vocab_size)))
        words = [index for index, token in enumerate(tokens) if token is not None and token.isalpha()]
        self.words = [tokens[index] for index in words]
        self.word_ids = torch.tensor(words, device=model.device)
        self.top = min(top, len(words))

    def propose(self, texts: Sequence[str]) -> list[list[Candidates]]:
        """Return the likeliest whole words for each `[MASK]` of each text, with their probabilities among whole words.

        A mask beyond the model's maximum length gets no proposals. Each text takes one forward pass, in fp32 on every device, so the data
        do not depend on the precision of training.
        """
        masked = [text.replace(MASK, self.tokenizer.mask_token) for text in texts]
        sequences = encode(self.tokenizer, masked, self.model.config.max_position_embeddings)
        proposals: list[list[Candidates]] = [[] for _ in texts]
        batches = make_batches([len(sequence) for sequence in sequences], self.batch_tokens)
        for positions in tqdm(batches, desc="propose words", unit="batch", mininterval=0.5, disable=not batches):
            for position, candidates in self._propose_batch(positions, sequences):
                proposals[position].append(candidates)
        return [found + [[]] * (text.count(MASK) - len(found)) for found, text in zip(proposals, texts, strict=True)]

    def _propose_batch(self, positions: list[int], sequences: list[list[int]]) -> Iterator[tuple[int, Candidates]]:
        input_ids, attention_mask = pad_tensors([sequences[position] for position in positions], self.tokenizer.pad_token_id)
        where = input_ids == self.tokenizer.mask_token_id
        with torch.inference_mode():
            logits = masked_logits(self.model, input_ids, attention_mask, where)
        probabilities = torch.softmax(logits.float()[:, self.word_ids], dim=-1)
        best, indices = probabilities.topk(self.top, dim=-1)
        # `where` selects masks row by row, from left to right.
        rows = where.nonzero()[:, 0].tolist()
        for row, weights, chosen in zip(rows, best.tolist(), indices.tolist(), strict=True):
            yield positions[row], [(self.words[index], weight) for index, weight in zip(chosen, weights, strict=True)]
