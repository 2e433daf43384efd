"""The sections of the stages that prepare the rows: clean, split, augment, bias-audit, tokenize."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, model_validator

from compactlm.params.base import Count, CountOrZero, Name, NotNegative, Number, Section


class Clean(Section):
    """`profile: bert` keeps natural text; `bag-of-words` is the classical recipe, for comparison."""

    profile: Literal["bert", "bag-of-words"]
    minimum_characters: Count
    maximum_characters: Count

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Clean:
        if self.minimum_characters > self.maximum_characters:
            raise ValueError("minimum_characters is greater than maximum_characters; lower the one or raise the other")
        return self


class Split(Section):
    """The share of the rows in each split."""

    train: Annotated[Number, Field(gt=0, lt=1)]
    validation: Annotated[Number, Field(gt=0, lt=1)]
    test: Annotated[Number, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _adds_up(self) -> Split:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, validation and test add up to {total:g}; make them add up to 1")
        return self


class Augment(Section):
    """`copies` copies of every labelled train row, each by one augmenter drawn by `shares`."""

    copies: CountOrZero
    shares: dict[Literal["synonym", "insert", "swap", "delete", "spelling"], NotNegative]
    share_of_words: Annotated[Number, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _shares_add_up(self) -> Augment:
        if self.copies and abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ValueError(f"shares add up to {sum(self.shares.values()):g}; make them add up to 1")
        return self


class Attribute(Section):
    """A protected attribute found in the text.

    `groups` maps a group's name to the words that mention it; aif360 compares `unprivileged` with `privileged`.
    """

    groups: Annotated[dict[Name, Annotated[list[StrictStr], Field(min_length=1)]], Field(min_length=2)]
    privileged: Name
    unprivileged: Name

    @model_validator(mode="after")
    def _groups_exist(self) -> Attribute:
        for role, name in (("privileged", self.privileged), ("unprivileged", self.unprivileged)):
            if name not in self.groups:
                raise ValueError(f"the {role} group {name!r} is not among groups ({', '.join(self.groups)}); name one of these")
        if self.privileged == self.unprivileged:
            raise ValueError("privileged and unprivileged are the same group; name two different ones")
        return self


class BiasAudit(Section):
    """The audit of the labelled train rows by aif360. A group with fewer rows than the minimum is not judged.

    `protected` names the attributes to audit for each task; a task without any is not audited.
    """

    attributes: dict[Name, Attribute]
    protected: dict[Name, list[Name]]
    favorable_labels: dict[Name, StrictStr]
    minimum_group_rows: Count
    mitigation: Literal["reweighing", "none"]


class Tokenize(Section):
    """`maximum_length` counts pieces a sequence, [CLS] and [SEP] included; longer unlabelled text becomes several sequences."""

    maximum_length: Annotated[StrictInt, Field(ge=8)]
