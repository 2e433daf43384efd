"""The types that all sections of params.yaml use: sections, names and numbers."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr


def _number(value: Any) -> Any:
    # YAML 1.1 reads 3e-05 as a string, and `dvc exp run -S` writes small numbers in this form.
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    if isinstance(value, bool):
        raise ValueError("it must be a number, not true or false")
    return value


Name = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Number = Annotated[float, pydantic.BeforeValidator(_number), Field(allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Fraction = Annotated[Number, Field(ge=0, le=1)]
Count = Annotated[StrictInt, Field(ge=1)]
CountOrZero = Annotated[StrictInt, Field(ge=0)]


class Section(BaseModel):
    """A part of params.yaml. It is immutable and refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
