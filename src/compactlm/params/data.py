"""The sections of the stages that prepare the rows: clean, split, augment, tokenize."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from compactlm.params.base import Count, CountOrZero, NotNegative, Number, Section


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


class Tokenize(Section):
    """`maximum_length` counts pieces a sequence, [CLS] and [SEP] included; longer unlabelled text becomes several sequences."""

    maximum_length: Annotated[StrictInt, Field(ge=8)]
