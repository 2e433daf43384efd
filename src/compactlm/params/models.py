"""The sections of the models: the teacher, the student, and the distillation of the one into the other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, model_validator

from compactlm.params.base import Count, CountOrZero, Fraction, Name, NotNegative, Number, Positive, Section
from compactlm.params.sources import PackageArchive


class PackageTeacher(PackageArchive):
    """A teacher inside a package archive: `directory` is the model's directory in the archive."""

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
    """How a model is trained. `batch_tokens` counts pieces a batch, padding included; `warmup` is a share of all steps."""

    epochs: Count
    learning_rate: Positive
    weight_decay: NotNegative
    warmup: Fraction
    batch_tokens: Count
    dropout: Annotated[Number, Field(ge=0, lt=1)]


class MlmHead(Section):
    """Fitting of a masked-language-model head, on `sequences` of the train split, to a teacher that comes without one.

    The `trained_layers` topmost layers are trained with the head, since a body that was trained for something else has
    moved away from the words. Every teacher's head is then measured on `validation_words` masked words of the validation split.
    """

    sequences: Count
    trained_layers: CountOrZero
    validation_words: Count
    mask_rate: Annotated[Number, Field(gt=0, lt=1)]
    optimisation: Optimisation


class FineTuning(Section):
    """Fine-tuning of the teacher for each task, with the embeddings and the `frozen_layers` lowest layers left as they are."""

    frozen_layers: CountOrZero
    optimisation: Optimisation


class Teacher(Section):
    """`parameters` is the number with a 2-label head, checked by counting; null leaves the budget check to distill-train."""

    source: TeacherSource
    parameters: Count | None
    maximum_length: Annotated[StrictInt, Field(ge=8)]
    mlm_head: MlmHead
    fine_tuning: FineTuning


class Student(Section):
    """The student's shape. `budget` is the greatest share of the teacher's parameters that it may have."""

    layers: Count
    hidden_size: Count
    attention_heads: Count
    intermediate_size: Count
    vocabulary_size: Annotated[StrictInt, Field(ge=100)]
    maximum_positions: Annotated[StrictInt, Field(ge=8)]
    budget: Annotated[Number, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _heads_divide(self) -> Student:
        if self.hidden_size % self.attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not a multiple of attention_heads {self.attention_heads}; change one of the two"
            )
        return self

    def count_parameters(self, labels: int = 2) -> int:
        """Return the parameters of the larger of the student's two forms, masked language model and classifier."""
        hidden, inner = self.hidden_size, self.intermediate_size
        embeddings = (self.vocabulary_size + self.maximum_positions + 2) * hidden + 2 * hidden
        attention = 4 * (hidden * hidden + hidden) + 2 * hidden
        feed_forward = hidden * inner + inner + inner * hidden + hidden + 2 * hidden
        body = embeddings + self.layers * (attention + feed_forward)
        mlm = hidden * hidden + hidden + 2 * hidden + self.vocabulary_size
        classifier = hidden * hidden + hidden + labels * (hidden + 1)
        return body + max(mlm, classifier)


class GeneralDistillation(Section):
    """Distillation on unlabelled text, the teacher reading the student's masked sequences.

    `sequences` of the train split are read an epoch. The loss is the weighted sum of soft targets and hard labels
    at the masked positions and of the cosine distance between hidden states.
    """

    sequences: Count
    mask_rate: Annotated[Number, Field(gt=0, lt=1)]
    temperature: Positive
    soft_weight: NotNegative
    hard_weight: NotNegative
    hidden_weight: NotNegative
    optimisation: Optimisation


class TaskDistillation(Section):
    """Distillation on a task's rows, their augmented copies, and `unlabelled` sources that the teacher labels.

    The hidden states of the student's `hidden_layers` topmost layers learn from the teacher's.
    """

    unlabelled: list[Name]
    unlabelled_sequences: CountOrZero
    temperature: Positive
    soft_weight: NotNegative
    hard_weight: NotNegative
    hidden_weight: NotNegative
    hidden_layers: Count
    optimisation: Optimisation


class Distill(Section):
    """General, then task distillation. `checkpoint_minutes` is how much work a killed run may lose."""

    general: GeneralDistillation
    task: TaskDistillation
    checkpoint_minutes: NotNegative
