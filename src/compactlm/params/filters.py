"""The filters of the stage clean and their settings. A text passes through a list of filters in order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr, model_validator

from compactlm.params.base import Count, CountOrZero, Fraction, Name, Section
from compactlm.params.expressions import check_expression, matches


class RepairUnicode(Section):
    """Fix wrongly decoded characters and ligatures with ftfy, and normalise to `form`; `straight_quotes` replaces curly quotes."""

    kind: Literal["repair_unicode"]
    form: Literal["NFC", "NFKC"]
    straight_quotes: StrictBool


class RemoveMarkup(Section):
    """Unescape HTML entities; remove tags, comments, scripts, styles and TeX formulas."""

    kind: Literal["remove_markup"]


class RemoveAddresses(Section):
    """Remove web addresses."""

    kind: Literal["remove_addresses"]


class RemoveControlCharacters(Section):
    """Remove control, zero-width, surrogate and private-use characters and terminal escapes; `keep_lines` keeps line feeds."""

    kind: Literal["remove_control_characters"]
    keep_lines: StrictBool


class StraightenQuotes(Section):
    """Replace quotes of grave accents or doubled apostrophes with double quotes."""

    kind: Literal["straighten_quotes"]


class FoldWhiteSpace(Section):
    """Replace each run of white space with one space; `keep_lines` keeps line breaks but not blank lines."""

    kind: Literal["fold_white_space"]
    keep_lines: StrictBool


class RepeatedCharacters(Section):
    """Shorten runs of the same character, except digits, to `maximum`."""

    kind: Literal["repeated_characters"]
    maximum: Annotated[Count, Field(ge=2)]


class RepeatedLines(Section):
    """Drop a text in which more than `maximum_share` of the lines repeat an earlier one."""

    kind: Literal["repeated_lines"]
    maximum_share: Fraction


class RepeatedNgrams(Section):
    """Drop a text in which more than `maximum_share` of the runs of `size` words repeat an earlier one.

    A text of fewer than `minimum_words` words is kept, because one repetition is a large share of a short text.
    """

    kind: Literal["repeated_ngrams"]
    size: Count
    maximum_share: Fraction
    minimum_words: CountOrZero


class _Bounded(Section):
    minimum: float
    maximum: float | None

    @model_validator(mode="after")
    def _bounds_in_order(self) -> _Bounded:
        if self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is greater than maximum; lower the first or raise the second")
        return self


class Length(_Bounded):
    """Drop a text with fewer or more characters or words than allowed; null sets no upper bound."""

    kind: Literal["length"]
    unit: Literal["characters", "words"]
    minimum: CountOrZero
    maximum: Count | None


class CharacterShare(_Bounded):
    """Drop a text whose share of letters, digits or symbols (among all characters except white space) is out of bounds."""

    kind: Literal["character_share"]
    of: Literal["letters", "digits", "symbols"]
    minimum: Fraction
    maximum: Fraction


class Language(Section):
    """Drop a text if the sum of the probabilities of `languages` (ISO 639) is less than `minimum_probability`.

    A text with fewer than `minimum_letters` letters is kept, because the language of a few words is uncertain.
    """

    kind: Literal["language"]
    languages: Annotated[list[Annotated[StrictStr, Field(pattern=r"^[a-z]{2,3}$")]], Field(min_length=1)]
    minimum_probability: Fraction
    minimum_letters: CountOrZero


PersonalKind = Literal["email", "phone", "card", "iban", "social_security", "ip_address"]


class MaskPersonal(Section):
    """Replace personal data with placeholders such as [EMAIL]; `region` is the country of phone numbers without a +NN prefix."""

    kind: Literal["mask_personal"]
    of: Annotated[list[PersonalKind], Field(min_length=1)]
    region: Annotated[StrictStr, Field(pattern=r"^[A-Z]{2}$")]


class Expression(Section):
    """A regular expression: `drop` texts that match it, or replace the matches with `replacement`.

    Dropped texts are counted under `name`.
    """

    kind: Literal["expression"]
    name: Name
    pattern: Annotated[StrictStr, Field(min_length=1)]
    action: Literal["drop", "replace"]
    replacement: StrictStr

    @model_validator(mode="after")
    def _can_be_used(self) -> Expression:
        check_expression(self.pattern, "the pattern")
        if self.action == "replace" and matches(self.pattern, self.replacement):
            raise ValueError(f"the pattern {self.pattern!r} matches its own replacement, so cleaning would never end; change one of them")
        return self


class BagOfWords(Section):
    """The classical preprocessing, for comparison: lower-case words of letters, without stop words."""

    kind: Literal["bag_of_words"]


FilterSettings = Annotated[
    RepairUnicode
    | RemoveMarkup
    | RemoveAddresses
    | RemoveControlCharacters
    | StraightenQuotes
    | FoldWhiteSpace
    | RepeatedCharacters
    | RepeatedLines
    | RepeatedNgrams
    | Length
    | CharacterShare
    | Language
    | MaskPersonal
    | Expression
    | BagOfWords,
    Field(discriminator="kind"),
]
