"""What the teacher says of a student's sequences, read by the student's own segmentation through the id map.

A signal source is either the teacher online, for text that is read once, or its answers collected before training, for
rows that are read in every epoch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from tqdm import tqdm
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.distillation.batches import make_batches, pad
from compactlm.distillation.layers import uniform_layers as uniform_layers  # noqa: PLC0414 - its users import it from here


class MaskedSignals(torch.nn.Module):
    """The masked language model of the teacher, online."""

    def __init__(self, teacher: BertForMaskedLM, id_map: Sequence[int], layers: Sequence[int]) -> None:
        """Take the teacher, its id of each of the student's ids, and the layers whose hidden states are asked for."""
        super().__init__()
        self.teacher = teacher.eval().requires_grad_(False)
        self.layers = list(layers)
        self.id_map: torch.Tensor
        self.register_buffer("id_map", torch.tensor(id_map), persistent=False)
        decoder = teacher.cls.predictions.decoder
        # Only the student's pieces are scored: the soft targets are the teacher's distribution over these.
        self.weight: torch.Tensor
        self.bias: torch.Tensor
        self.register_buffer("weight", decoder.weight.detach()[self.id_map].clone(), persistent=False)
        self.register_buffer("bias", decoder.bias.detach()[self.id_map].clone(), persistent=False)

    def train(self, mode: bool = True) -> MaskedSignals:  # noqa: ARG002
        """Stay in evaluation mode: a teacher with dropout would teach noise."""
        return super().train(False)

    @torch.no_grad()
    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, where: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return logits over the student's pieces at the positions `where`, and hidden states of the layers.

        Args:
            input_ids: the student's ids, int64 [rows, pieces].
            attention_mask: [rows, pieces].
            where: bool [rows, pieces].

        Returns:
            float [positions, student's vocabulary], and a list of float [rows, pieces, teacher's hidden size].
        """
        output = self.teacher.bert(self.id_map[input_ids], attention_mask=attention_mask, output_hidden_states=True)
        transformed = self.teacher.cls.predictions.transform(output.last_hidden_state[where])
        logits = torch.nn.functional.linear(transformed, self.weight, self.bias)
        return logits, [output.hidden_states[layer] for layer in self.layers]


@dataclasses.dataclass(frozen=True)
class TaskSignals:
    """A fine-tuned teacher's answers to some sequences.

    Attributes:
        logits: float32 [rows, labels].
        hidden: the states of each layer that was asked for, float16 [pieces of all rows, layers, teacher's hidden size]. It takes
            2 bytes a piece, layer and unit: 0.5 GB for 700,000 pieces and one layer of 384.
        starts: where each row's pieces begin in `hidden`, int64 [rows + 1].
    """

    logits: torch.Tensor
    hidden: torch.Tensor
    starts: torch.Tensor

    def padded_hidden(self, rows: Sequence[int]) -> torch.Tensor:
        """Return the states of some rows, float32 [rows, longest row, layers, teacher's hidden size], 0 at padding."""
        pieces = [self.hidden[self.starts[row] : self.starts[row + 1]] for row in rows]
        return torch.nn.utils.rnn.pad_sequence(pieces, batch_first=True).float()


def collect_task_signals(
    teacher: BertForSequenceClassification,
    sequences: Sequence[Sequence[int]],
    id_map: Sequence[int],
    layers: Sequence[int],
    batch_tokens: int,
    description: str,
) -> TaskSignals:
    """Run the teacher once over sequences of the student's ids; the answers are in the order of the sequences."""
    teacher.eval()
    ids, lengths = torch.tensor(id_map), [len(sequence) for sequence in sequences]
    starts = torch.tensor([0, *lengths]).cumsum(0)
    logits = torch.zeros(len(sequences), teacher.config.num_labels)
    hidden = torch.zeros(int(starts[-1]), len(layers), teacher.config.hidden_size, dtype=torch.float16)
    for rows in tqdm(make_batches(lengths, batch_tokens, None), desc=description, unit="batch", mininterval=0.5):
        input_ids, attention_mask = pad([sequences[row] for row in rows])
        with torch.inference_mode():
            output = teacher(ids[input_ids].to(teacher.device), attention_mask=attention_mask.to(teacher.device), output_hidden_states=True)
            states = torch.stack([output.hidden_states[layer] for layer in layers], dim=2).half().cpu()
        logits[rows] = output.logits.float().cpu()
        for line, row in enumerate(rows):
            hidden[starts[row] : starts[row + 1]] = states[line, : lengths[row]]
    return TaskSignals(logits, hidden, starts)
