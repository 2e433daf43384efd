"""The sections of the stages that judge the student and hand it over: evaluate, export; and what training costs: energy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from compactlm.params.base import Count, Fraction, Positive, Section


class PseudoPerplexity(Section):
    """How many rows of each source, and how many words of each row, are masked for pseudo-perplexity."""

    rows_a_source: Count
    words_a_row: Count


class Slices(Section):
    """Parts of the test rows that are looked at by themselves.

    `lengths` are the most words of a short and of a medium row. A row has a negation where one of its words is among `negations` or
    has one of `negation_endings`, and a rare word where the train split has a word fewer than `rare_below` times.
    """

    lengths: tuple[Count, Count]
    negations: Annotated[list[StrictStr], Field(min_length=1)]
    negation_endings: list[Annotated[StrictStr, Field(min_length=1)]]
    rare_below: Count

    @model_validator(mode="after")
    def _lengths_in_order(self) -> Slices:
        if self.lengths[0] >= self.lengths[1]:
            raise ValueError("lengths names a short row's most words and then a medium row's; make the second greater than the first")
        return self


class Strengths(Section):
    """The share of a row's words that a perturbation changes; at least one word."""

    light: Annotated[Fraction, Field(gt=0)]
    heavy: Annotated[Fraction, Field(gt=0)]


class Robustness(Section):
    """At most `rows` test rows of each task are read again with flaws of everyday writing."""

    rows: Count
    strengths: Strengths


class Timings(Section):
    """Sequences of `tokens` tokens are timed in `batches` of these sizes, for `seconds` each, in a process for each model."""

    tokens: Count
    batches: Annotated[list[Count], Field(min_length=1)]
    seconds: Positive


class Energy(Section):
    """Whether the energy of training is tracked, and the country (three letters of ISO 3166) whose electricity it is.

    Without a country the world's average of CO2 a kilowatt hour is taken.
    """

    track: StrictBool
    country: Annotated[StrictStr, Field(pattern=r"^[A-Z]{3}$")] | None


class Evaluate(Section):
    """`mlm_words` words are masked on test rows to compare the masked language models.

    The first `forgetting_words` of these are asked of each task's body too. Intervals come from `resamples` bootstrap resamples, the
    calibration error from `calibration_bins` bins.
    """

    mlm_words: Count
    pseudo_perplexity: PseudoPerplexity
    resamples: Annotated[StrictInt, Field(ge=100)]
    calibration_bins: Annotated[StrictInt, Field(ge=2)]
    slices: Slices
    robustness: Robustness
    forgetting_words: Count
    timings: Timings


class Export(Section):
    """The ONNX files are compared with the original on `check_rows` test rows.

    fp32 may differ by `tolerance`; int8 may lose `accuracy_loss` of a task's accuracy, as a share: 0.005 is half a point.
    """

    opset: Annotated[StrictInt, Field(ge=18)]
    check_rows: Count
    tolerance: Positive
    accuracy_loss: Fraction
