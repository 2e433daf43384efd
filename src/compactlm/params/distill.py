"""The section of distillation: the losses with their weights, and the optimisation, of both phases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from compactlm.params.base import Count, CountOrZero, NotNegative, Positive, Section
from compactlm.params.teacher import Optimisation

# "uniform", "last", or pairs of a student's and a teacher's layer; see compactlm.shapes.layers.
LayerMap = Literal["uniform", "last"] | Annotated[list[tuple[CountOrZero, CountOrZero]], Field(min_length=1)]


class HiddenLoss(Section):
    """Distance of hidden states, the student's through a learned projection, at the layers that have signals."""

    weight: NotNegative
    distance: Literal["cosine", "mse"]
    layers: LayerMap


class EmbeddingLoss(Section):
    """Distance of the embeddings' outputs (Jiao et al. 2020, TinyBERT); `signals.layers` must hold 0."""

    weight: NotNegative
    distance: Literal["cosine", "mse"]


class RelationLoss(Section):
    """Relations of queries, keys and values (Wang et al. 2021, MiniLMv2), split into `heads`.

    The teacher's at layer n come from its hidden states n - 1, which `signals.layers` must hold.
    """

    weight: NotNegative
    heads: Count
    layers: LayerMap


class AttentionLoss(Section):
    """Mean squared error of attention probabilities (Jiao et al. 2020, TinyBERT); only with signals.source: online."""

    weight: NotNegative
    layers: LayerMap


class Losses(Section):
    """The loss is the sum of these, each times its weight; a weight of 0 leaves one out.

    Soft targets are the teacher's distribution, hard labels the data's own, focal where `focal_gamma` is above 0.
    """

    soft_weight: NotNegative
    hard_weight: NotNegative
    focal_gamma: NotNegative
    hidden: HiddenLoss
    embeddings: EmbeddingLoss
    relations: RelationLoss
    attention: AttentionLoss


class GeneralDistillation(Losses):
    """Distillation of the masked language model, on the text of signals.general."""

    optimisation: Optimisation


class TaskDistillation(Losses):
    """Distillation of each task, on its rows, their augmented copies and the text of signals.task.

    `start` is where the student begins: the student of general distillation, or weights inherited from the fine-tuned teacher.
    """

    start: Literal["general", "teacher"]
    temperature: Positive
    optimisation: Optimisation


class Distill(Section):
    """General, then task distillation. `checkpoint_minutes` is how much work a killed run may lose."""

    general: GeneralDistillation
    task: TaskDistillation
    checkpoint_minutes: NotNegative
