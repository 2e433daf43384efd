"""The sections of the teacher and the student, and the optimisation of any model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, model_validator

from compactlm.params.base import Count, CountOrZero, Fraction, NotNegative, Number, Positive, Section
from compactlm.params.sources import PackageArchive


class PackageTeacher(PackageArchive):
    """A teacher in a package archive; `directory` is the path of the model in the archive."""

    kind: Literal["package"]
    directory: StrictStr
    licence: StrictStr


class DirectoryTeacher(Section):
    """A teacher in a local directory (config.json, model.safetensors, tokenizer)."""

    kind: Literal["directory"]
    path: StrictStr
    licence: StrictStr


class HubTeacher(Section):
    """A teacher on the model hub, or in a local directory in the same format."""

    kind: Literal["hub"]
    model: StrictStr
    revision: StrictStr | None
    licence: StrictStr


TeacherSource = Annotated[PackageTeacher | DirectoryTeacher | HubTeacher, Field(discriminator="kind")]


class Optimisation(Section):
    """How a model is trained. `batch_tokens` is the maximum number of tokens per batch, with padding; `warmup` is a share of all steps."""

    epochs: Count
    learning_rate: Positive
    weight_decay: NotNegative
    warmup: Fraction
    batch_tokens: Count
    dropout: Annotated[Number, Field(ge=0, lt=1)]


class FineTuning(Section):
    """Fine-tuning of the teacher for each task. The embeddings and the lowest `frozen_layers` layers are not trained.

    The output of frozen layers for all train rows is computed once if it takes at most `cache_gigabytes` of memory, otherwise in every
    epoch.
    """

    frozen_layers: CountOrZero
    cache_gigabytes: NotNegative
    optimisation: Optimisation


class Teacher(Section):
    """The teacher, its size and its fine-tuning.

    `parameters` is the number of parameters with a 2-label head; with null, they are counted when the teacher is loaded. `validation_words`
    is the number of validation rows in which masked words are predicted, by the student and, if it has a masked-language-model head, by the
    teacher.
    """

    source: TeacherSource
    parameters: Count | None
    maximum_length: Annotated[StrictInt, Field(ge=8)]
    validation_words: Count
    fine_tuning: FineTuning


class Student(Section):
    """The shape of the student. `budget` is its maximum number of parameters, as a share of the teacher's.

    `vocabulary_size: fit` takes as many tokens as the budget allows, the most frequent first. In these frequencies, labelled rows have the
    weight `task_share`, and unlabelled text has the rest; null weights all text equally. The initial weights are `inherited` (fitted to the
    teacher's hidden states, or copied if the shapes are equal), `embeddings` (only the embeddings are projected), or `random`.
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
                f"hidden_size {self.hidden_size} is not a multiple of attention_heads {self.attention_heads}; change one of them"
            )
        return self
