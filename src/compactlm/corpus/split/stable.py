"""A split that is stable under growth: the split of a row depends only on the seed and its document or text, or on its source.

`corpus/duplicates/placing.py` places the rows. Rows stay in their split when data is added. In exchange, shares and strata match only on
average. If related rows fall into different splits, the held-out row is kept and the train rows are left out. Moving either of them would
make the split of a row depend on other rows.
"""

from __future__ import annotations

import math

import numpy as np

from compactlm.artifacts import SPLITS
from compactlm.corpus.duplicates.placing import Homes
from compactlm.corpus.split.rows import Integers, Rows, count_strata, labels_of
from compactlm.params import Split


def share_deviations(rows: Rows, homes: Homes, split: Split) -> dict[str, dict[str, dict[str, float]]]:
    """Return how far the share of each source and label deviates from the configured share, and how much chance explains.

    Sources that `split.sources` puts into one split as a whole are left out.

    Returns:
        By split and by stratum ("source" or "source/label"): `share`, `deviation`, and the `standard_error` of a share if rows were drawn
        one by one. A deviation of more than three standard errors means that the rows of a stratum belong to large documents.
    """
    wanted = split.model_dump(include=set(SPLITS))
    counts: dict[str, Integers] = {}
    for (source, _, label), column in zip(rows.strata, count_strata(rows, homes).T, strict=True):
        if source in split.sources:
            continue
        for stratum in [source, *(f"{source}/{one}" for one in labels_of(label))]:
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
