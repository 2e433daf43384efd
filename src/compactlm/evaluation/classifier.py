"""A task's model with its tokenizer. It runs in batches, and on each distinct sequence only once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import BertPreTrainedModel

from compactlm.bert.task_models import run_examples
from compactlm.bert.tokenization import encode
from compactlm.errors import CompactLMError
from compactlm.figures.bootstrap import Array
from compactlm.tasks import kind_of
from compactlm.tasks.base import Example, Input, Row, RowKind, Task
from compactlm.tasks.segmenting import LibrarySegmenter


class Reader:
    """Answers rows with a task's model.

    Args:
        model: the model; it is put into eval mode.
        tokenizer: the tokenizer of the model.
        maximum_length: the maximum number of tokens of a sequence. Longer texts are truncated or split into several sequences.
        batch_tokens: tokens per batch, padding included.
        description: the description of the progress bar.
        task: the task of the model.
    """

    def __init__(
        self, model: BertPreTrainedModel, tokenizer: Any, maximum_length: int, batch_tokens: int, description: str, task: Task
    ) -> None:
        self.model, self.tokenizer, self.maximum_length, self.task = model, tokenizer, maximum_length, task
        self.batch_tokens, self.description = batch_tokens, description
        self._known: dict[tuple[int | None, tuple[int, ...]], Array] = {}

    @property
    def settings(self) -> dict[str, Any]:
        """The model's config.json."""
        found: dict[str, Any] = self.model.config.to_dict()
        return found

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text."""
        return encode(self.tokenizer, texts, self.maximum_length)

    def probabilities(self, texts: Sequence[str]) -> Array:
        """Return the answers to texts without labels, float64 [texts, outputs]. For a classification these are probabilities."""
        found: Array = self.answers([Input(text) for text in texts])
        return found

    def answers(self, rows: Sequence[Row]) -> Any:
        """Return the answer to each row, as Kind.answers does. For a RowKind it is nan if the model's output is not finite.

        A sequence that was read before is not read again. Changed texts often have the same tokens, for instance when only letter case
        changes and the tokenizer ignores case.
        """
        kind, segmenter = kind_of(self.task), LibrarySegmenter(self.tokenizer.backend_tokenizer)
        examples = kind.encode(segmenter, rows, self.task, self.maximum_length, places=True)
        new = {key: one for parts in examples for one in parts if (key := _key(one)) not in self._known}
        if new:
            self._known.update(zip(new, run_examples(self.model, list(new.values()), self.batch_tokens, self.description), strict=True))
        logits = [[self._known[_key(one)] for one in parts] for parts in examples]
        if kind.per_token:
            self._known.clear()  # outputs of tokens take much memory
        if not isinstance(kind, RowKind):
            if not all(np.isfinite(one).all() for parts in logits for one in parts):
                raise CompactLMError(
                    f"{self.description}: the model gives outputs that are not finite numbers; train it again with a lower learning rate"
                )
            return kind.answers(logits, examples, rows, self.task, self.settings)
        found = [one for one, *_ in logits]
        return kind.activate_tensor(torch.from_numpy(np.stack(found))) if found else np.zeros((0, kind.outputs(self.task)))


def _key(example: Example) -> tuple[int | None, tuple[int, ...]]:
    return example.second, tuple(example.input_ids)
