"""The section of the student."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from compactlm.params.base import Count, Fraction, Number, Section


class Student(Section):
    """The student's shape. `budget` is the greatest share of the teacher's parameters that it may have.

    `vocabulary_size: fit` takes as many tokens as the budget allows. When the most useful tokens are counted, labelled rows
    have `task_share` of the say whatever their number, unlabelled text the rest; null counts all text alike.
    The first weights are `inherited` (fitted to the teacher's states, or copied where the shapes allow), `embeddings` (only these,
    projected), or `random`.
    """

    layers: Count
    hidden_size: Count
    attention_heads: Count
    intermediate_size: Count
    vocabulary_size: Annotated[StrictInt, Field(ge=100)] | Literal["fit"]
    task_share: Fraction | None
    maximum_positions: Annotated[StrictInt, Field(ge=8)]
    budget: Annotated[Number, Field(gt=0, le=1)]
    initialisation: Literal["inherited", "embeddings", "random"]

    @model_validator(mode="after")
    def _heads_divide(self) -> Student:
        if self.hidden_size % self.attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not a multiple of attention_heads {self.attention_heads}; change one of the two"
            )
        return self
