"""The labelled tasks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictStr, model_validator

from compactlm.params.base import Name, Section


class Task(Section):
    """A labelled task. `labels` are in the order of the model's output ids."""

    sources: Annotated[list[Name], Field(min_length=1)]
    labels: Annotated[list[StrictStr], Field(min_length=2)]
    metric: Literal["accuracy"]

    @model_validator(mode="after")
    def _labels_differ(self) -> Task:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("two labels have the same name; give each label a name of its own")
        return self
