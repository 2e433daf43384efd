"""The metrics of a split: sizes, shares of sources and labels, and leakage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from compactlm.artifacts import SPLITS
from compactlm.corpus.duplicates.placing import Homes
from compactlm.corpus.split.document_groups import PROTECTED, crossings, protect
from compactlm.corpus.split.rows import Integers, Rows, count_strata, labels_of
from compactlm.corpus.split.splitting import SplitCorpus
from compactlm.corpus.split.stable import share_deviations
from compactlm.corpus.split.stratified import split_groups
from compactlm.figures.figure import Figure
from compactlm.params import Split


def split_metrics(found: SplitCorpus, split: Split, seed: int) -> dict[str, object]:
    """Return sizes, shares of sources and labels, and leakage.

    `leakage` counts texts, documents and clusters of near-duplicates that occur in more than one split: `as_split` in these splits, and
    `rows_drawn_singly` in a stratified split that ignores groups. `rows_like_protected` counts the rows of a split that are near-duplicates
    of a row in a split with priority (test first, then validation). `queries` counts the queries of each split, the queries that were
    removed because a split with priority has the same or a similar one, and the rows that were left out because they are similar to a query
    there.
    """
    rows, homes = found.rows, found.homes
    counts = count_strata(rows, homes)
    totals = dict(zip(SPLITS, counts.sum(axis=1).tolist(), strict=True))
    sizes = np.bincount(found.groups)
    labels = {name: _label_shares(rows, column.tolist()) for name, column in zip(SPLITS, counts, strict=True)}
    metrics: dict[str, object] = {
        "rows": totals,
        "share": {name: round(total / sum(totals.values()), 6) for name, total in totals.items()},
        "sources": {name: _shares(_by_source(rows, column.tolist())) for name, column in zip(SPLITS, counts, strict=True)},
        "labels": labels,
        "groups": {"all": len(sizes), "of_several_rows": int((sizes > 1).sum()), "largest": int(sizes.max())},
        "leakage": _leakage(found, split, seed),
    }
    if split.placement == "stable":
        metrics["deviations"] = share_deviations(rows, homes, split)
    if split.placement == "stable" or split.across_splits == "leave_out":
        left_out = np.bincount(rows.stratum[homes < 0], minlength=len(rows.strata))
        metrics["left_out"] = dict(sorted(_by_source(rows, left_out.tolist()).items()))
    if found.queries is not None:
        metrics["queries"] = found.queries.to_json()
    if split.weights:
        metrics["mixture"] = {"left_out": dict(found.mixture.left_out), "repeated": dict(found.mixture.repeated)}
    return metrics


def _leakage(found: SplitCorpus, split: Split, seed: int) -> dict[str, object]:
    leakage: dict[str, object] = {"as_split": crossings(found.numberings(), found.homes)}
    if split.placement == "stratified":
        alone = split_groups(found.rows, np.arange(len(found.rows)), split, seed)
        leakage["rows_drawn_singly"] = crossings(found.numberings(), alone)
    if found.clusters is not None:
        leakage["rows_like_protected"] = rows_like_protected(found.homes, found.clusters)
    return leakage


def rows_like_protected(homes: Homes, clusters: Integers) -> dict[str, int]:
    """Return how many rows of validation and train share a cluster with a row of a split that comes earlier in PROTECTED."""
    placed = homes >= 0
    left = protect(homes[placed], np.unique(clusters[placed], return_inverse=True)[1])
    gone = np.bincount(homes[placed][left < 0], minlength=len(SPLITS))
    return {SPLITS[home]: int(gone[home]) for home in PROTECTED[1:]}


def _by_source(rows: Rows, counts: Iterable[int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (source, _, _), count in zip(rows.strata, counts, strict=True):
        found[source] += count
    return found


def _label_shares(rows: Rows, counts: Iterable[int]) -> dict[str, dict[str, object]]:
    """Return the share of rows with each label, by task. A row may have several labels."""
    found: dict[str, Counter[str]] = {}
    totals: Counter[str] = Counter()
    for (_, task, labels), count in zip(rows.strata, counts, strict=True):
        if task is not None and count:
            found.setdefault(task, Counter()).update(dict.fromkeys(labels_of(labels), count))
            totals[task] += count
    return {
        task: {label: Figure.over_rows(round(of / totals[task], 6), totals[task]).to_json() for label, of in sorted(labels.items())}
        for task, labels in sorted(found.items())
    }


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = counts.total()
    return {name: round(count / total, 6) for name, count in sorted(counts.items()) if count}
