"""The teacher's token vectors, from which the layers of a sentence encoder learn.

A sentence vector is the mean of the teacher's last hidden states, so each hidden state is a target for one token. The states are divided by
the length of their mean, which makes their mean the teacher's unit vector. They are then reduced to the principal components of the
sentence vectors. The teacher reads the student's tokens through the id map, as for the other signals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from compactlm.distillation.signals.online import Batch


class OnlineTokens:
    """A signal source for a teacher with mean pooling. The signal `teacher_states` has one layer: the reduced token vectors."""

    def __init__(self, teacher: Any, id_map: Sequence[int], directions: torch.Tensor, precision: str = "fp32") -> None:
        """Take the teacher's body, its id of each of the student's ids, and the components, float [width, teacher's width]."""
        self.teacher, self.precision = teacher.eval().requires_grad_(False), precision
        self.id_map, self.directions = torch.tensor(id_map, device=teacher.device), directions.to(teacher.device)
        self.layers: list[int] = [teacher.config.num_hidden_layers]

    @torch.no_grad()
    def signals(self, batch: Batch, rows: Sequence[int]) -> Batch:  # noqa: ARG002 - the cache needs them
        """Return the token vectors, float [rows, tokens, 1, width]; see SignalSource."""
        device = self.teacher.device
        mask = batch["attention_mask"].to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            states = self.teacher(self.id_map[batch["input_ids"].to(device)], attention_mask=mask).last_hidden_state
        states, real = states.float(), mask[:, :, None].float()
        mean = (states * real).sum(dim=1) / real.sum(dim=1)
        reduced = states / mean.norm(dim=-1).clamp(min=1e-12)[:, None, None] @ self.directions.T
        return {"teacher_states": reduced[:, :, None]}
