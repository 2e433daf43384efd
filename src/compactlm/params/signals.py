"""The section of the teacher's signals: which text it is asked about, and what of its answers is kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from compactlm.params.base import Count, CountOrZero, Name, Number, Positive, Section


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
