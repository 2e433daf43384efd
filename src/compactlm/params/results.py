"""The sections of the stages that judge the student and hand it over: evaluate, export."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt

from compactlm.params.base import Count, Fraction, Positive, Section


class Evaluate(Section):
    """`mlm_words` words are masked on test rows to compare the masked language models."""

    mlm_words: Count


class Export(Section):
    """The ONNX files are compared with the original on `check_rows` test rows.

    fp32 may differ by `tolerance`; int8 may lose `accuracy_loss` of a task's accuracy, as a share: 0.005 is half a point.
    """

    opset: Annotated[StrictInt, Field(ge=18)]
    check_rows: Count
    tolerance: Positive
    accuracy_loss: Fraction
