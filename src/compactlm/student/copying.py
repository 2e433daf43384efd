"""Copy the teacher's weights to a student whose layers have the teacher's shape."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import BertForMaskedLM, BertModel

SHAPE = ("hidden_size", "num_attention_heads", "intermediate_size", "hidden_act")


def can_be_copied(student: BertModel, teacher: BertModel) -> bool:
    """Return whether the layers have the same shape and the student has no more of them than the teacher."""
    own, theirs = student.config, teacher.config
    return own.num_hidden_layers <= theirs.num_hidden_layers and all(getattr(own, name) == getattr(theirs, name) for name in SHAPE)


@torch.no_grad()
def copy_body(student: BertModel, teacher: BertModel, teacher_ids: Sequence[int], layers: Sequence[int]) -> torch.Tensor:
    """Copy the embeddings of the student's tokens and positions, and one teacher layer into each of the student's layers.

    Positions beyond the teacher's keep their random weights.

    `can_be_copied` must be true. The arguments are those of inheriting.inherit. So is the result, which is the identity here.
    """
    own, theirs = student.embeddings, teacher.embeddings
    own.word_embeddings.weight.copy_(theirs.word_embeddings.weight[torch.tensor(teacher_ids)])
    count = min(len(own.position_embeddings.weight), len(theirs.position_embeddings.weight))
    own.position_embeddings.weight[:count] = theirs.position_embeddings.weight[:count]
    copy_token_types(student, theirs.token_type_embeddings.weight)
    own.LayerNorm.load_state_dict(theirs.LayerNorm.state_dict())
    for layer, source in zip(student.encoder.layer, layers[1:], strict=True):
        layer.load_state_dict(teacher.encoder.layer[max(source - 1, 0)].state_dict())
    return torch.eye(student.config.hidden_size)


@torch.no_grad()
def copy_token_types(student: BertModel, vectors: torch.Tensor) -> None:
    """Copy the token types that both models have. Single texts use only the first."""
    own = student.embeddings.token_type_embeddings.weight
    own[: len(vectors)] = vectors[: len(own)]


@torch.no_grad()
def copy_mlm_head(student: BertForMaskedLM, teacher: BertForMaskedLM, teacher_ids: Sequence[int]) -> None:
    """Copy the masked-language-model head to a student with a copied body. The teacher's decoder is tied to its word embeddings."""
    own, theirs = student.cls.predictions, teacher.cls.predictions
    own.transform.load_state_dict(theirs.transform.state_dict())
    own.bias.copy_(theirs.decoder.bias[torch.tensor(teacher_ids)])
