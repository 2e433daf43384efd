"""Other arithmetics and faults with which a run is repeated."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

AVX2 = {
    "DNNL_MAX_CPU_ISA": "AVX2",  # oneDNN
    "ATEN_CPU_CAPABILITY": "avx2",  # torch's own kernels
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",  # matrix products of torch
    "OPENBLAS_CORETYPE": "Haswell",  # matrix products of NumPy
}
SSE = {
    "DNNL_MAX_CPU_ISA": "SSE41",
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Nehalem",
}


@dataclasses.dataclass(frozen=True)
class Variant:
    """A run that differs from the first one.

    Attributes:
        variables: of the environment.
        params: the function that changes a value of params.yaml, by the value's path.
        arguments: of `dvc repro`.
        fault: whether the results have to be told as different.
    """

    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    params: Mapping[str, Callable[[Any], Any]] = dataclasses.field(default_factory=dict)
    arguments: tuple[str, ...] = ("--force", "evaluate", "export")  # what comes after repeats figures and times
    fault: bool = False


BASE = Variant(params={"threads": lambda _: 1}, arguments=())
# The faults of single stages come first, because the outputs of the first run are then still in place.
VARIANTS = {
    "a loss weight, 10 % more": Variant(
        params={"distill.task.hidden.weight": lambda one: one * 1.1}, arguments=("distill-train",), fault=True
    ),
    "AVX2": Variant(variables=AVX2),
    "SSE": Variant(variables=SSE),
    "two threads": Variant(params={"threads": lambda _: 2}),
    "another seed": Variant(params={"seed": lambda one: one + 1}, arguments=("--force", "distill-train"), fault=True),
}
