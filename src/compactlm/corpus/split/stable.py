"""A split that is stable under growth: the split of a row depends only on the seed and its document or text.

Rows stay in their split when data is added. The price is that shares and strata match only on average. If
related rows were placed in different splits, the held-out row stays and the train rows are left out. Moving either of them would make
the split of a row depend on other rows.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from compactlm.artifacts import SPLITS
from compactlm.corpus.split.rows import TEST, TRAIN, VALIDATION, Homes, Integers, Rows, count_strata
from compactlm.params import Split


def place(drawn: npt.NDArray[np.uint64], split: Split) -> Homes:
    """Return the split of each draw; a change of the share of validation does not change the test split."""
    share = drawn / 2**64
    homes = np.full(len(drawn), TRAIN, dtype=np.int8)
    homes[share < split.test + split.validation] = VALIDATION
    homes[share < split.test] = TEST
    return homes


def share_deviations(rows: Rows, homes: Homes, split: Split) -> dict[str, dict[str, dict[str, float]]]:
    """Return how far the share of each source and label is from the configured one, and how much chance explains.

    Returns:
        By split and by stratum ("source" or "source/label"): `share`, `deviation`, and `standard_error` of a share drawn row by row.
        A deviation of more than three standard errors means that the rows of a stratum come in large documents.
    """
    wanted = split.model_dump(include=set(SPLITS))
    counts: dict[str, Integers] = {}
    for (source, _, label), column in zip(rows.strata, count_strata(rows, homes).T, strict=True):
        for stratum in [source] if label is None else [source, f"{source}/{label}"]:
            counts[stratum] = counts.get(stratum, np.zeros(len(SPLITS), dtype=np.int64)) + column
    return {
        name: {
            stratum: {
                "share": round(found[home] / found.sum(), 6),
                "deviation": round(found[home] / found.sum() - wanted[name], 6),
                "standard_error": round(math.sqrt(wanted[name] * (1 - wanted[name]) / found.sum()), 6),
            }
            for stratum, found in sorted(counts.items())
            if found.sum()
        }
        for home, name in enumerate(SPLITS)
    }
