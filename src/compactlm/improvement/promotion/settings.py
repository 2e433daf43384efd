"""configs/promotion.yaml: the conditions under which a new model replaces the version in use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pydantic
import yaml
from pydantic import Field, StrictStr

from compactlm.errors import CompactLMError
from compactlm.params.base import Count, Fraction, Number, Section
from compactlm.params.reading import describe_errors

FILE = Path("configs/promotion.yaml")


class PartLimit(Section):
    """The accuracy that a part of the test rows may lose, and the number of rows from which on an undecided figure refuses."""

    margin: Annotated[Number, Field(ge=0, le=1)]
    rows: Count


class Promotion(Section):
    """The limits of a promotion. Accuracies and their differences are shares: 0.02 is two percentage points.

    Attributes:
        stage: the name of the stage of the version in use.
        margin: the accuracy that the new model may lose on old test rows.
        gain: the accuracy that it must gain on new test rows, or on old ones if there are no new ones.
        rows: the smallest number of test rows for which either is judged.
        slices: the limit of each slice of the test rows.
        groups: the limit of each group of protected attributes.
        negative_flips: the acceptable share of rows that were right before and are wrong now; None sets no limit.
    """

    stage: Annotated[StrictStr, Field(pattern=r"^[a-zA-Z0-9]([a-zA-Z0-9-/_]*[a-zA-Z0-9])?$")]
    margin: Annotated[Number, Field(ge=0, le=1)]
    gain: Annotated[Number, Field(gt=0, le=1)]
    rows: Count
    slices: PartLimit
    groups: PartLimit
    negative_flips: Fraction | None


def read_settings(path: Path = FILE) -> Promotion:
    """Read and check configs/promotion.yaml.

    Raises:
        CompactLMError: the file is missing or has values that cannot be used.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CompactLMError(f"{path} is missing; restore it with `git checkout {path}`") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CompactLMError(f"{path} is not valid YAML ({' '.join(str(error).split())}); correct it") from None
    if not isinstance(content, dict):
        raise CompactLMError(f"{path} has no keys; restore it with `git checkout {path}`")
    try:
        return Promotion.model_validate(content)
    except pydantic.ValidationError as error:
        raise CompactLMError(f"{path}: {describe_errors(error, content)}") from None
