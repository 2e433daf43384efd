"""The section of distillation: the losses with their weights, and the optimisation, of both phases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from compactlm.params.base import Count, CountOrZero, Name, NotNegative, Number, Positive, Section
from compactlm.params.models import Optimisation


class GeneralSignals(Section):
    """The unlabelled text of general distillation: `sequences` of the train split, a share of whose tokens is masked.

    `maskings` is in how many ways each sequence is masked; an epoch reads one of them. Of the teacher's distribution at a
    masked token the `top_k` likeliest tokens are kept, and at `temperature` the sum of all others.
    """

    sequences: Count
    mask_rate: Annotated[Number, Field(gt=0, lt=1)]
    maskings: Count
    top_k: Count
    temperature: Positive


class TaskSignals(Section):
    """The text of task distillation besides the labelled rows and their copies: drawn from `unlabelled` sources."""

    unlabelled: list[Name]
    unlabelled_sequences: CountOrZero


class Signals(Section):
    """What the student learns from the teacher.

    `cached` asks the teacher once, in a stage of its own, and serves every student with this vocabulary; `online` asks it at
    every step. `layers` lists the teacher's layers whose hidden states teach, 0 for the embeddings; a number n
    takes n layers, spread evenly up to the last. A cache that may take more than `gigabytes` on
    the disk is refused before it is made; it is never in memory as a whole.
    """

    source: Literal["cached", "online"]
    layers: Count | Annotated[list[CountOrZero], Field(min_length=1)]
    gigabytes: Positive
    general: GeneralSignals
    task: TaskSignals


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
