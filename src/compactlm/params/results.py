"""The sections of the stages evaluate and export, and the sections bootstrap and energy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from compactlm.params.base import Count, Fraction, Name, Number, Positive, Section


class Bootstrap(Section):
    """Confidence intervals at the level `confidence`, from `samples` bootstrap resamples of whole documents."""

    samples: Annotated[StrictInt, Field(ge=100)]
    confidence: Annotated[Number, Field(gt=0, lt=1)]


class PseudoPerplexity(Section):
    """The number of rows per source, and of masked words per row, for pseudo-perplexity. Each word takes one forward pass per token."""

    rows_a_source: Count
    words_a_row: Count


class Slices(Section):
    """Groups of test rows that are evaluated separately.

    `lengths` are the maximum numbers of words of a short and of a medium row. A row has a negation if one of its words is in `negations` or
    ends with one of `negation_endings`. It has a rare word if one of its words occurs fewer than `rare_below` times in the train split.
    """

    lengths: tuple[Count, Count]
    negations: Annotated[list[StrictStr], Field(min_length=1)]
    negation_endings: list[Annotated[StrictStr, Field(min_length=1)]]
    rare_below: Count

    @model_validator(mode="after")
    def _lengths_in_order(self) -> Slices:
        if self.lengths[0] >= self.lengths[1]:
            raise ValueError("lengths are the most words of a short and of a medium row; make the second greater than the first")
        return self


class Strengths(Section):
    """The share of the words of a row that a perturbation changes; at least one word is changed."""

    light: Annotated[Fraction, Field(gt=0)]
    heavy: Annotated[Fraction, Field(gt=0)]


class Robustness(Section):
    """Up to `rows` test rows per task are evaluated again with perturbations, such as typing errors."""

    rows: Count
    strengths: Strengths


class Timings(Section):
    """Inference is timed on sequences of `tokens` tokens, for `seconds` at each batch size in `batches`, in one process per model."""

    tokens: Count
    batches: Annotated[list[Count], Field(min_length=1)]
    seconds: Positive


class Energy(Section):
    """Whether the energy of training is tracked, and the country of the electricity (three letters of ISO 3166).

    Without a country, the world average of CO2 per kilowatt hour is used.
    """

    track: StrictBool
    country: Annotated[StrictStr, Field(pattern=r"^[A-Z]{3}$")] | None


class EmbeddingFigures(Section):
    """The data on which sentence embeddings are compared, if the student has one.

    For the sources in `retrieval`, the queries of test rows search for their passages, which are cut to `passage_words` words. The
    similarities of `sentences` test sentences are compared with the teacher's. Logistic regression is trained on `few_shot` train rows per
    label, in `draws` draws. `context` names files in configs/words/context, without their ending.
    """

    retrieval: list[Name]
    passage_words: Count
    sentences: Annotated[StrictInt, Field(ge=3)]
    few_shot: list[Count]
    draws: Count
    context: list[Name]


class Evaluate(Section):
    """The masked language models are compared on `mlm_words` masked words of test rows.

    The body of each task is evaluated on the first `forgetting_words` of them. The calibration error comes from
    `calibration_bins` bins.
    """

    mlm_words: Count
    pseudo_perplexity: PseudoPerplexity
    calibration_bins: Annotated[StrictInt, Field(ge=2)]
    slices: Slices
    robustness: Robustness
    forgetting_words: Count
    embedding: EmbeddingFigures
    timings: Timings


class Export(Section):
    """The ONNX files of a task are compared with the original model on `check_rows` test rows; for other models, on `general_rows`.

    The outputs of fp32 may differ by `tolerance`. int8 may lose `accuracy_loss` of accuracy: 0.005 is half a percentage point. The
    thresholds of `answer` and `chat` are chosen on up to `answer_questions` validation questions. With them, the share `wrong_answers` of
    the questions gets a wrong answer when every second question has no answer in the file. `reference_rows` validation rows of each task
    are the sample with which `compactlm watch` compares new text.
    """

    opset: Annotated[StrictInt, Field(ge=18)]
    check_rows: Count
    general_rows: Count
    tolerance: Positive
    accuracy_loss: Fraction
    answer_questions: Count
    wrong_answers: Fraction
    reference_rows: Annotated[StrictInt, Field(ge=30)]
