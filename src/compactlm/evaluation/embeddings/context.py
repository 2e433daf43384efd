"""Triples in which context decides: whether an anchor is nearer to a text that means the same than to one that does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from compactlm.evaluation.embeddings.vectors import Embed, Figures, paired_cosines, share_of
from compactlm.figures.bootstrap import Resampler
from compactlm.text.triples import Triple

TIE = 1e-6  # cosines that differ by less are the same; an embedding without context often gives two texts of the same words one vector
ALL = "all"


def decide(embed: Embed, triples: Sequence[Triple]) -> npt.NDArray[np.float64]:
    """Return for each triple 1 if the right text is nearer to the anchor, 0 if the wrong one is, 0.5 for a tie; float64 [triples]."""
    anchor, right, wrong = (embed([getattr(one, name) for one in triples]) for name in ("anchor", "right", "wrong"))
    difference = paired_cosines(anchor, right) - paired_cosines(anchor, wrong)
    return np.where(np.abs(difference) < TIE, 0.5, difference > 0)


def context(embed: Embed, suites: Mapping[str, Sequence[Triple]], resampler: Resampler) -> Figures:
    """Return the share of right decisions by kind, and for all kinds together as `all`.

    Resamples draw fillings with all their templates.
    """
    decided = {kind: decide(embed, triples) for kind, triples in suites.items()}
    clusters = {kind: [f"{kind}: {one.filling}" for one in triples] for kind, triples in suites.items()}
    figures = {kind: share_of(right, clusters[kind], resampler) for kind, right in decided.items()}
    if decided:
        together = [cluster for names in clusters.values() for cluster in names]
        figures[ALL] = share_of(np.concatenate(list(decided.values())), together, resampler)
    return figures
