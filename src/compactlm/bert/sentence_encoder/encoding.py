"""Run a sentence encoder in torch: a teacher, or a student before its export."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm
from transformers import BertModel

from compactlm.bert.arrays import Array
from compactlm.bert.batches import make_batches
from compactlm.bert.memory import memory_errors
from compactlm.bert.models import load_body, load_tokenizer, pad_tensors
from compactlm.bert.sentence_encoder.head import SentenceHead
from compactlm.bert.sentence_encoder.modules import SentenceModules, is_sentence_encoder
from compactlm.bert.tokenization import encode


@dataclasses.dataclass(frozen=True)
class SentenceEncoder:
    """A BERT, its tokenizer and its modules. It gives the same vectors as sentence-transformers for the same directory.

    Attributes:
        model: the BERT, without a head.
        tokenizer: the tokenizer of transformers.
        modules: pooling, dense layers, normalisation, prompts and maximum length.
    """

    model: BertModel
    tokenizer: Any
    modules: SentenceModules

    @classmethod
    def load(cls, directory: Path) -> SentenceEncoder:
        """Load a sentence encoder to the best device. Any other BERT becomes one: it gives the normalised mean of its last hidden states.

        Raises:
            CompactLMError: a file is missing or damaged, or a module is of a kind that is not supported.
        """
        modules = SentenceModules.read(directory) if is_sentence_encoder(directory) else SentenceModules()
        return cls(load_body(directory).eval(), load_tokenizer(directory), modules)

    @property
    def maximum_length(self) -> int:
        """The number of tokens, with [CLS] and [SEP], to which texts are truncated."""
        return self.modules.maximum_length or int(self.model.config.max_position_embeddings)

    def tokenize(self, texts: Sequence[str], maximum_length: int | None = None) -> list[list[int]]:
        """Return the token ids of each text with its prompt, truncated to `maximum_length` or to the encoder's own limit."""
        return encode(self.tokenizer, self.modules.prepare(texts), min(maximum_length or self.maximum_length, self.maximum_length))

    def encode(self, texts: Sequence[str], batch_tokens: int, description: str, maximum_length: int | None = None) -> Array:
        """Return the vector of each text, float32 [texts, width].

        Args:
            texts: at least one text.
            batch_tokens: tokens per batch, padding included.
            description: label of the progress bar.
            maximum_length: the number of tokens to which texts are truncated, if it is below the encoder's own limit.
        """
        return self.encode_sequences(self.tokenize(texts, maximum_length), batch_tokens, description)

    def encode_sequences(self, sequences: Sequence[Sequence[int]], batch_tokens: int, description: str) -> Array:
        """Return the vector of each sequence of token ids, float32 [sequences, width]; see `encode`."""
        vectors: Array | None = None
        batches = make_batches([len(sequence) for sequence in sequences], batch_tokens)
        for number, rows in enumerate(tqdm(batches, desc=description, unit="batch", mininterval=0.5), start=1):
            chosen = [sequences[row] for row in rows]
            with memory_errors(description, number, list(map(len, chosen)), batch_tokens), torch.inference_mode():
                found = self.encode_batch(chosen).cpu().numpy()
            vectors = np.zeros((len(sequences), found.shape[1]), dtype=np.float32) if vectors is None else vectors
            vectors[rows] = found
        assert vectors is not None  # noqa: S101 - there is at least one sequence
        return vectors

    def encode_batch(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return the vector of each sequence of a single batch, float32 [sequences, width], on the model's device."""
        device = self.model.device
        input_ids, mask = (tensor.to(device) for tensor in pad_tensors(sequences, self.model.config.pad_token_id))
        hidden = self.model(input_ids, attention_mask=mask).last_hidden_state
        mask[:, : self._prompt_tokens()] = 0
        vectors: torch.Tensor = SentenceHead(self.modules).to(device)(hidden.float(), mask)
        return vectors

    def _prompt_tokens(self) -> int:
        """Return how many tokens at the start of each sequence are left out of the pooling: [CLS] and the prompt."""
        if self.modules.include_prompt or not self.modules.prompt:
            return 0
        return len(self.tokenizer(self.modules.prompt)["input_ids"]) - 1
