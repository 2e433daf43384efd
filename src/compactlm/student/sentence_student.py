"""A student that gives one vector for each text: a plain BERT, the mean over its tokens, and a linear map."""

from __future__ import annotations

import math
from typing import Any

import torch
from transformers import BertModel

from compactlm.params import Student
from compactlm.student.building import build_config
from compactlm.student.heads import SMALL
from compactlm.student.static_table import StaticTable

FILLED = 1e-4  # the part of a norm that is kept free, so that rounding never makes a square root of a negative number
INNER = 0.05  # the standard deviation of the layers' weights before their output maps, which are 0 at first


class SentenceStudent(torch.nn.Module):
    """A BERT, the mean of its last hidden states over the attention mask ([CLS] and [SEP] included), and a linear map `dense`.

    With `layers = False` the states are the word embeddings after their layer normalisation, without positions and layers.
    """

    def __init__(self, bert: BertModel, width: int) -> None:
        """Take the body and the width of the vectors."""
        super().__init__()
        self.bert, self.dense, self.layers = bert, torch.nn.Linear(bert.config.hidden_size, width), True

    @property
    def config(self) -> Any:
        """The configuration of the body."""
        return self.bert.config

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return the vectors of texts, not normalised, float [rows, width]."""
        return self.dense(self.pooled(input_ids, attention_mask))

    def pooled(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return the mean hidden states of texts, float [rows, hidden size]."""
        states = self.states(input_ids, attention_mask)
        mask = attention_mask[:, :, None].to(states.dtype)
        return (states * mask).sum(dim=1) / mask.sum(dim=1)

    def states(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return the last hidden states, float [rows, tokens, hidden size]."""
        if self.layers:
            states: torch.Tensor = self.bert(input_ids, attention_mask=attention_mask).last_hidden_state
            return states
        return self.bert.embeddings.LayerNorm(self.bert.embeddings.word_embeddings(input_ids))

    def train_layers(self, layers: bool) -> None:
        """Make all weights trainable or, if False, only those that `layers = False` uses."""
        self.layers = layers
        self.requires_grad_(layers)
        for part in (self.bert.embeddings.word_embeddings, self.bert.embeddings.LayerNorm, self.dense):
            part.requires_grad_(True)


def build_body(student: Student, vocabulary_size: int) -> BertModel:
    """Return a BERT of this shape without a pooler, with random weights."""
    return BertModel(build_config(student, vocabulary_size), add_pooling_layer=False)


@torch.no_grad()
def start_from_table(student: SentenceStudent, table: StaticTable) -> None:
    """Set a student's weights so that its vectors have the same directions as those of the static table.

    The length of a token's vector in the table is the token's weight, but BERT's layer normalisation removes lengths. The student's word
    embeddings therefore all have the same length and the mean 0. The scaled vector of the table fills all dimensions but two. One of these
    completes the length. The other, the mean, stays 0. `dense` reads only the dimensions of the table. The layers add nothing at first: the
    output maps of attention and feed-forward are 0, and layer normalisation does not change vectors of this form.

    Args:
        student: a student with random weights.
        table: the static table of the student's tokens. Components beyond the student's hidden size less two are ignored.
    """
    bert, dense = student.bert, student.dense
    basis = _basis(bert.config.hidden_size)
    content = table.vectors[:, : len(basis) - 1].double()
    content = content / content.norm(dim=1).max().clamp(min=1e-12) * (1 - FILLED)
    rest = (1 - content.square().sum(dim=1, keepdim=True)).sqrt()
    count = content.shape[1]
    embedded = (content @ basis[:count] + rest @ basis[-1:]) * math.sqrt(bert.config.hidden_size)
    bert.embeddings.word_embeddings.weight.copy_(embedded)
    bert.embeddings.position_embeddings.weight.zero_()
    bert.embeddings.token_type_embeddings.weight.zero_()
    for layer in bert.encoder.layer:
        own = layer.attention.self
        for inner in (own.query, own.key, own.value, layer.intermediate.dense):
            inner.weight.normal_(std=INNER)
        for output in (layer.attention.output, layer.output):
            output.dense.weight.zero_()
            output.dense.bias.zero_()
    kept = min(count, dense.out_features)
    dense.weight.copy_(torch.randn_like(dense.weight[:, :count]) * SMALL @ basis[:count].float())
    dense.weight[:kept] = basis[:kept].float()
    dense.bias.zero_()


def start_components(student: SentenceStudent, table: StaticTable) -> torch.Tensor:
    """Return the first map from the teacher's vectors to the student's hidden states, float [hidden size, teacher's width]."""
    basis = _basis(student.bert.config.hidden_size)[:-1].float()
    directions = table.directions[: len(basis)]
    return basis[: len(directions)].T @ directions


def _basis(size: int) -> torch.Tensor:
    """Return orthonormal directions orthogonal to (1, ..., 1), float64 [size - 1, size]: the cosine transform without its constant."""
    at = torch.arange(size, dtype=torch.float64)
    waves = torch.cos(math.pi / size * (at[None, :] + 0.5) * at[1:, None])
    return waves * math.sqrt(2 / size)
