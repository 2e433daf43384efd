"""A classifier with its tokenizer. It classifies in batches, and each distinct sequence once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import BertForSequenceClassification

from compactlm.bert.models import classify
from compactlm.bert.tokenization import encode
from compactlm.figures.bootstrap import Array


class Reader:
    """Texts in, probabilities out.

    Args:
        model: the classifier; it is put into eval mode.
        tokenizer: the tokenizer of the classifier.
        maximum_length: tokens a text; longer texts are cut.
        batch_tokens: tokens a batch, padding included.
        description: the description of the progress bar.
    """

    def __init__(
        self, model: BertForSequenceClassification, tokenizer: Any, maximum_length: int, batch_tokens: int, description: str
    ) -> None:
        self.model, self.tokenizer, self.maximum_length = model, tokenizer, maximum_length
        self.batch_tokens, self.description = batch_tokens, description
        self._known: dict[tuple[int, ...], Array] = {}

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text."""
        return encode(self.tokenizer, texts, self.maximum_length)

    def probabilities(self, texts: Sequence[str]) -> Array:
        """Return the probability of each label, float64 [texts, labels]; nan where the model's output is not finite.

        A sequence that was classified before is not classified again. Changed texts often have the same tokens, for instance when only
        letter case changes and the tokenizer ignores case.
        """
        sequences = [tuple(sequence) for sequence in self.encode(texts)]
        new = [sequence for sequence in dict.fromkeys(sequences) if sequence not in self._known]
        if new:
            logits = classify(self.model, new, self.batch_tokens, self.description)
            found = torch.softmax(logits.double(), dim=1).numpy()
            self._known.update(zip(new, found, strict=True))
        return np.stack([self._known[sequence] for sequence in sequences])
