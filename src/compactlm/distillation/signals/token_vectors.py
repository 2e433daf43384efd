"""The teacher's token vectors, from which the layers of a sentence encoder learn.

A sentence vector is the mean of token vectors, so the teacher's last hidden states tell each of the student's tokens what it adds. The
teacher reads a text by its own tokenizer, and its sentence vector comes from the same output. A word that the student reads in more pieces
than the teacher divides the teacher's vector among its pieces. The vectors are divided by the length of their mean, so that their mean is
the teacher's unit vector, and reduced to principal components of sentence vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from tqdm import tqdm

from compactlm.bert.batches import make_batches
from compactlm.bert.memory import memory_errors
from compactlm.bert.models import pad_tensors
from compactlm.distillation.signals.alignment import WordPieces, shares
from compactlm.distillation.signals.online import Batch
from compactlm.distillation.signals.sentences import OnlineSentences


class OnlineTokens:
    """A teacher that pools by a plain mean, as a signal source. The signal `teacher_states` has one layer: the reduced token vectors.

    Attributes:
        directions: the components, float [width, teacher's width]; they may be set after `read_ahead`.
    """

    def __init__(
        self,
        teacher: OnlineSentences,
        places: Sequence[int],
        sequences: Sequence[Sequence[int]],
        id_map: Sequence[int],
        directions: torch.Tensor | None = None,
        keep: Callable[[Sequence[int], torch.Tensor], None] | None = None,
    ) -> None:
        """Take the teacher with its texts, and the rows: some of these texts in the student's token ids.

        Args:
            teacher: the source of the sentence vectors.
            places: the position of each row in the teacher's texts.
            sequences: the rows in the student's token ids.
            id_map: the teacher's id of each of the student's ids.
            directions: the components.
            keep: called with places and sentence vectors whenever the teacher has read texts.
        """
        encoder = teacher.teacher
        self.teacher, self.places, self.sequences, self.directions, self.keep = teacher, places, sequences, directions, keep
        self.id_map = torch.tensor(id_map)
        self.pieces = WordPieces(encoder.tokenizer.convert_ids_to_tokens(range(len(encoder.tokenizer))))
        prompt = encoder.tokenizer(encoder.modules.prompt, add_special_tokens=False)["input_ids"]
        self.prompt_words = int(self.pieces.begins[prompt].sum())
        self.layers: list[int] = [encoder.model.config.num_hidden_layers]
        self._ahead: dict[int, torch.Tensor] = {}

    def read_ahead(self, rows: Sequence[int], batch_tokens: int, description: str) -> None:
        """Read rows before `directions` are known, and keep their vectors in memory, in half precision, until they are asked for."""
        lengths = [self.teacher.lengths[self.places[row]] for row in rows]
        for number, positions in enumerate(tqdm(make_batches(lengths, batch_tokens), desc=description, unit="batch", mininterval=0.5), 1):
            with memory_errors(description, number, [lengths[position] for position in positions], batch_tokens):
                chosen = [rows[position] for position in positions]
                self._ahead |= {row: vectors.half() for row, vectors in zip(chosen, self._read(chosen), strict=True)}

    @torch.no_grad()
    def signals(self, batch: Batch, rows: Sequence[int]) -> Batch:
        """Return the token vectors, float [rows, tokens, 1, width]; see SignalSource."""
        assert self.directions is not None  # noqa: S101 - the stage sets them
        new = [row for row in rows if row not in self._ahead]
        found = dict(zip(new, self._read(new), strict=True)) if new else {}
        parts = [found[row] if row in found else self._ahead.pop(row).float() for row in rows]
        states = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True)
        states = torch.nn.functional.pad(states, (0, 0, 0, batch["input_ids"].shape[1] - states.shape[1]))
        return {"teacher_states": (states @ self.directions.T.to(states.device))[:, :, None]}

    @torch.no_grad()
    def _read(self, rows: Sequence[int]) -> list[torch.Tensor]:
        """Return the vectors of the student's tokens, float [tokens, teacher's width] of each row."""
        places = [self.places[row] for row in rows]
        vectors, hidden = self.teacher.read(places)
        if self.keep:
            self.keep(places, vectors)
        sequences = [self.sequences[row] for row in rows]
        input_ids, mask = pad_tensors(sequences)
        theirs, their_mask = pad_tensors([self.teacher.sequences[place] for place in places])
        share = shares(self.pieces.spans(self.id_map[input_ids], mask), self.pieces.spans(theirs, their_mask, self.prompt_words))
        # A token beyond the teacher's last one gets the mean of all.
        missing = (share.sum(dim=2) == 0) & mask.bool()
        share = torch.where(missing[:, :, None], (their_mask / their_mask.sum(dim=1, keepdim=True))[:, None], share).to(hidden.device)
        states = share @ hidden
        mean = states.sum(dim=1) / mask.sum(dim=1, keepdim=True).to(hidden.device)
        states = states / mean.norm(dim=-1).clamp(min=1e-12)[:, None, None]
        return [row[: len(sequence)] for row, sequence in zip(states, sequences, strict=True)]
