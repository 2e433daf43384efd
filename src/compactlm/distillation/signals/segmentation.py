"""Split the student's sequences into the teacher's own tokens.

The student's vocabulary is a subset of the teacher's, so the student splits some words into more tokens than the teacher. The teacher was
trained on its own tokens and predicts best when it reads them. Its hidden states are then averaged to get one state for each of the
student's tokens (see alignment).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from compactlm.bert.models import pad_tensors
from compactlm.distillation.signals.alignment import CONTINUATION, WordPieces, shares

Batch = dict[str, torch.Tensor]


class TeacherTokens:
    """Converts batches of the student's token ids into batches of the teacher's own tokens."""

    def __init__(self, student: Any, teacher: Any, id_map: Sequence[int]) -> None:
        """Take the two tokenizers, which are WordPiece tokenizers of transformers, and the teacher's id for each of the student's ids."""
        self.tokens: list[str] = student.convert_ids_to_tokens(range(len(id_map)))
        self.id_map = list(id_map)
        self.model = teacher.backend_tokenizer.model
        self.pieces = WordPieces(teacher.convert_ids_to_tokens(range(len(teacher))))
        self._known: dict[tuple[int, ...], list[int]] = {}

    def read(self, batch: Batch) -> tuple[Batch, torch.Tensor]:
        """Return a batch in the teacher's tokens, and the weights that convert the teacher's states to the student's tokens.

        The state of a student's token is the weighted mean of the states of the teacher's tokens that overlap with it.

        Returns:
            input_ids, attention_mask and token_type_ids, int64 [rows, teacher's tokens], and the weights, float32 [rows, student's tokens,
            teacher's tokens]. The weights of each of the student's tokens add up to 1, those of padding to 0.
        """
        mask, types = batch["attention_mask"].cpu(), batch.get("token_type_ids")
        rows, segments = [], []
        for at, (ids, length) in enumerate(zip(batch["input_ids"].tolist(), mask.sum(dim=1).tolist(), strict=True)):
            own_types = [0] * length if types is None else types[at, :length].tolist()
            parts = [(self._word(word), segment) for word, segment in self._words(ids[:length], own_types)]
            rows.append(list(itertools.chain.from_iterable(part for part, _ in parts)))
            segments.append([segment for part, segment in parts for _ in part])
        theirs, their_mask = pad_tensors(rows)
        mapped = torch.tensor(self.id_map)[batch["input_ids"].cpu()]
        share = shares(self.pieces.spans(mapped, mask), self.pieces.spans(theirs, their_mask))
        weights = share / share.sum(dim=2, keepdim=True).clamp(min=1e-12)
        return {"input_ids": theirs, "attention_mask": their_mask, "token_type_ids": pad_tensors(segments)[0]}, weights

    def _words(self, ids: Sequence[int], types: Sequence[int]) -> Iterator[tuple[tuple[int, ...], int]]:
        """Yield the student's token ids of each word, and the word's segment."""
        word: list[int] = []
        segment = 0
        for index, own in zip(ids, types, strict=True):
            if word and not self.tokens[index].startswith(CONTINUATION):
                yield tuple(word), segment
                word = []
            segment = segment if word else own
            word.append(index)
        if word:
            yield tuple(word), segment

    def _word(self, ids: tuple[int, ...]) -> list[int]:
        """Return the teacher's token ids of a word."""
        if ids not in self._known:
            text = "".join(self.tokens[index].removeprefix(CONTINUATION) if at else self.tokens[index] for at, index in enumerate(ids))
            # A word of one token has the same token in the teacher's vocabulary; special tokens are such words.
            whole = len(ids) > 1 and not self.tokens[ids[0]].startswith(CONTINUATION)
            self._known[ids] = [token.id for token in self.model.tokenize(text)] if whole else [self.id_map[index] for index in ids]
        return self._known[ids]
