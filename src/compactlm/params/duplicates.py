"""How near-duplicates are found."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from compactlm.params.base import Count, Number, Section


class NearDuplicates(Section):
    """Near-duplicates by MinHash: texts whose shingles have a Jaccard similarity of at least `threshold`.

    A shingle is a run of `size` words or characters. The estimate's standard error is at most 0.5 over the root of
    `permutations`: 0.044 for 128.
    """

    threshold: Annotated[Number, Field(gt=0, le=1)]
    permutations: Annotated[StrictInt, Field(ge=16, le=1024)]
    unit: Literal["words", "characters"]
    size: Count
