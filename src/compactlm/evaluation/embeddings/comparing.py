"""Compare several embeddings on the same texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from compactlm.evaluation.embeddings.agreement import spearman
from compactlm.evaluation.embeddings.context import context
from compactlm.evaluation.embeddings.few_shot import Rights, accuracy, classify_few, kept
from compactlm.evaluation.embeddings.material import Material
from compactlm.evaluation.embeddings.retrieval import retrieval
from compactlm.evaluation.embeddings.vectors import Embed, Figures, by_contestant
from compactlm.figures.bootstrap import Resampler

TEACHER = "teacher"


def compare_embeddings(
    contestants: Mapping[str, Embed], words: Mapping[str, Embed], material: Material, resampler: Resampler
) -> dict[str, Any]:
    """Measure embeddings.

    Args:
        contestants: embeddings by name, the teacher among them.
        words: further embeddings, which are only measured on the triples of `context`.
        material: the texts.
        resampler: the bootstrap; all embeddings have the same resamples.

    Returns:
        By contestant, `found_at_1`, `found_at_10`, `spearman` and `few_shot_N` for N rows per label. `kept` has, for each contestant except
        the teacher, its few-shot accuracies as shares of the teacher's. `context` has the shares of right decisions, by kind and
        contestant. Figures without enough rows are left out.
    """
    figures: dict[str, Figures] = {name: {} for name in contestants}
    if material.search.queries:
        for name, embed in contestants.items():
            figures[name] |= retrieval(embed, material.search, resampler)
    if len(material.sentences) > 2:
        of_teacher = contestants[TEACHER](material.sentences)
        for name, embed in contestants.items():
            figures[name]["spearman"] = spearman(embed(material.sentences), of_teacher, resampler)
    rights = {name: _few_shot(embed, material) for name, embed in contestants.items()}
    for name, by_size in rights.items():
        figures[name] |= {f"few_shot_{size}": accuracy(right, resampler) for size, right in by_size.items()}
    shares = {
        name: {f"few_shot_{size}": kept(right, rights[TEACHER][size], resampler) for size, right in by_size.items()}
        for name, by_size in rights.items()
        if name != TEACHER
    }
    decided = {name: context(embed, material.suites, resampler) for name, embed in {**contestants, **words}.items()}
    return {**figures, "kept": shares, "context": by_contestant(decided)}


def measure_embedding(embed: Embed, teacher: Embed, material: Material, resampler: Resampler) -> Figures:
    """Return `found_at_1`, `found_at_10`, `spearman` with the teacher, and `few_shot_N`. Figures without enough rows are left out.

    These are the figures of `compare_embeddings` for one embedding. The teacher embeds only the sentences.
    """
    figures = retrieval(embed, material.search, resampler) if material.search.queries else {}
    if len(material.sentences) > 2:
        figures["spearman"] = spearman(embed(material.sentences), teacher(material.sentences), resampler)
    return figures | {f"few_shot_{size}": accuracy(right, resampler) for size, right in _few_shot(embed, material).items()}


def _few_shot(embed: Embed, material: Material) -> dict[int, Rights]:
    """Return the right answers by the number of rows per label. The test rows of several tasks are concatenated."""
    found: dict[int, list[Rights]] = {}
    for rows in material.few_shot.values():
        for size, right in classify_few(embed, rows).items():
            found.setdefault(size, []).append(right)
    return {size: np.concatenate(parts, axis=1) for size, parts in found.items()}
