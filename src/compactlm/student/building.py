"""Build a student's configuration and classifier, and check its size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import BertConfig, BertForSequenceClassification, BertPreTrainedModel

from compactlm.bert.models import body_of
from compactlm.bert.task_models import FORMS, head_config
from compactlm.params import Student
from compactlm.tasks import kind_of
from compactlm.tasks.base import Task, TaskOfModel


def build_config(student: Student, vocabulary_size: int) -> BertConfig:
    """Return the BERT configuration of this shape. The training phases set its dropout."""
    return BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=student.hidden_size,
        num_hidden_layers=student.layers,
        num_attention_heads=student.attention_heads,
        intermediate_size=student.intermediate_size,
        max_position_embeddings=student.maximum_positions,
    )


def build_classifier(student: BertPreTrainedModel, labels: Sequence[str], seed: int, body: bool = True) -> BertForSequenceClassification:
    """Return a classifier of a student's shape with a new head for these labels; see `build_task_model`."""
    task = TaskOfModel("classification", tuple(labels), "accuracy")
    classifier: BertForSequenceClassification = build_task_model(student, task, seed, body)
    return classifier


def build_task_model(student: BertPreTrainedModel, task: Task, seed: int, body: bool = True) -> Any:
    """Return a model of a student's shape with a new head for a task.

    `seed` determines the random weights: those of the head, or all weights if the body is not copied.
    """
    kind = kind_of(task)
    torch.manual_seed(seed)
    config = BertConfig.from_dict(student.config.to_dict())
    for name, value in head_config(kind, task).items():
        setattr(config, name, value)
    model = FORMS[kind.architecture](config)
    if body:
        model.bert.load_state_dict(body_of(student).state_dict(), strict=False)
    return model


def principal_components(vectors: torch.Tensor, size: int) -> torch.Tensor:
    """Return the `size` orthonormal directions that explain most of the vectors, float [size, width].

    The vectors are not centred, because projections start from this map and must be linear. If `size` exceeds the width, the remaining
    directions are 0.
    """
    # Eigenvectors of a small matrix are much faster than singular vectors of a long one, and as exact in float64.
    doubled = vectors.double()
    _, directions = torch.linalg.eigh(doubled.T @ doubled)  # the strongest direction is the last
    found = directions.T.flip(0)[: min(size, len(vectors))]
    # Fix the arbitrary sign of each eigenvector, so that every machine starts from the same student.
    signs = torch.sign(found.gather(1, found.abs().argmax(dim=1, keepdim=True)))
    components = torch.zeros(size, vectors.shape[1], dtype=torch.float64)
    components[: len(found)] = found * signs
    return components.float()


def count_parameters(model: torch.nn.Module) -> int:
    """Return the number of parameters. Tied parameters count once."""
    return sum(parameter.numel() for parameter in model.parameters())
