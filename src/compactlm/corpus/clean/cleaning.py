"""Cleaning of a corpus: shards through the filters, duplicates out across all of them, and every dropped row counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from compactlm.corpus.clean.filters.base import EMPTY, UNREPAIRABLE
from compactlm.corpus.clean.filters.composing import profile_filters
from compactlm.corpus.clean.filters.measures import TOO_LONG, TOO_SHORT
from compactlm.corpus.clean.samples import Samples, smallest_samples
from compactlm.corpus.clean.shard_cleaning import CleanShard
from compactlm.corpus.duplicates.deduplication import CONTRADICTORY_LABEL, DUPLICATE
from compactlm.corpus.duplicates.shard_duplicates import Keyed, deduplicate
from compactlm.errors import CompactLMError
from compactlm.params import Clean, FilterSettings, PersonalKind
from compactlm.params.filters import MaskPersonal
from compactlm.shards.engine import Engine, apply
from compactlm.shards.gathering import count_by_source, cut
from compactlm.shards.shards import Counts, Manifest, add_counts

# Counted even where there are none, so that a figure does not come and go between two experiments.
ALWAYS_COUNTED = (CONTRADICTORY_LABEL, DUPLICATE, EMPTY, TOO_LONG, TOO_SHORT, UNREPAIRABLE)


@dataclasses.dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned corpus.

    Attributes:
        shards: working shards of the rows that were kept.
        rows: rows by source, before cleaning.
        kept: rows and characters by source of what was kept.
        dropped: rows by source and reason.
        masked: personal data that was masked in the rows that the filters kept, by source and kind.
        kinds: of personal data that the filters mask.
        samples: some dropped texts, by "source reason".
        added: rows that sentences are more than the rows they were cut from, by source.
        punkt_trained: whether what cut them was learnt from the corpus; None where nothing was cut.
    """

    shards: list[Path]
    rows: Counts
    kept: Counts
    dropped: Counts
    masked: Counts
    kinds: tuple[PersonalKind, ...]
    samples: Samples
    added: Counts
    punkt_trained: bool | None


def filters_of(clean: Clean) -> list[FilterSettings]:
    """Return the settings of the filters, in order: those listed, or those of the profile."""
    if clean.profile == "own":
        return list(clean.filters or ())
    return profile_filters(clean.profile, clean.minimum_characters, clean.maximum_characters)


def clean_corpus(parts: Sequence[Path], work: Path, clean: Clean, seed: int, engine: Engine, shard_bytes: int) -> Cleaned:
    """Clean a corpus; neither the engine nor the size of the shards changes what becomes of it.

    Args:
        parts: the parts of the artifact to clean.
        work: a directory for working shards, where finished ones are found again.
        clean: the section of params.yaml.
        seed: draws the dropped rows that are shown, and the permutations of MinHash.
        engine: where shards are processed.
        shard_bytes: about how much text a working shard holds.

    Raises:
        CompactLMError: a source has no row left.
    """
    filters = filters_of(clean)
    function = CleanShard(tuple(filters), seed, clean.samples)
    if sum(part.stat().st_size for part in parts) > shard_bytes:  # packed; so there will be several shards
        engine.prepare(function.prepare)
    shards = cut(parts, work / "in", shard_bytes)
    # What is cut into sentences gets the keys of these.
    cleaned, filtered = apply(shards, work / "cleaned", engine, Keyed(function) if clean.sentences is None else function)
    cut_up: list[Manifest] = []
    trained: bool | None = None
    if clean.sentences is not None:
        # Imported here: NLTK takes a second.
        from compactlm.corpus.clean.sentences import cut_sentences

        cleaned, cut_up, trained = cut_sentences(cleaned, work, engine, clean.sentences, seed, clean.samples)
    left, deduplicated = deduplicate(cleaned, work, engine, clean.near_duplicates, seed, clean.samples)
    engine.rest()
    manifests = [*filtered, *cut_up, *deduplicated]
    result = Cleaned(
        shards=left,
        rows=count_by_source(shards, characters=False),
        kept=count_by_source(left),
        dropped=add_counts(manifest.report.dropped for manifest in manifests),
        masked=add_counts(manifest.report.masked for manifest in filtered),
        kinds=tuple(sorted({kind for one in filters if isinstance(one, MaskPersonal) for kind in one.of})),
        samples=smallest_samples((manifest.report.samples for manifest in manifests), clean.samples),
        added=add_counts(manifest.report.added for manifest in cut_up),
        punkt_trained=trained,
    )
    _check_nothing_lost(result)
    _check_something_left(result)
    return result


def _check_nothing_lost(cleaned: Cleaned) -> None:
    for source, counts in cleaned.rows.items():
        kept = cleaned.kept.get(source, {}).get("rows", 0)
        dropped, added = (sum(found.get(source, {}).values()) for found in (cleaned.dropped, cleaned.added))
        if counts["rows"] + added != kept + dropped:
            raise RuntimeError(
                f"of {source} {counts['rows']} rows came in and {added} were added, {kept} are left and {dropped} were counted as dropped"
            )


def _check_something_left(cleaned: Cleaned) -> None:
    for source in cleaned.rows:
        if source not in cleaned.kept:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in cleaned.dropped[source].items())
            raise CompactLMError(
                f"no row of source {source} is left after cleaning (dropped: {reasons}); change the profile, the filters or the bounds "
                "in clean, or remove the source"
            )


def clean_metrics(cleaned: Cleaned) -> dict[str, object]:
    """Return rows before and after, the dropped rows by reason and what was masked by kind, for each source and in all."""
    reasons = sorted({*ALWAYS_COUNTED, *(reason for counts in cleaned.dropped.values() for reason in counts)})

    def figures(sources: Sequence[str]) -> dict[str, object]:
        def total(counts: Counts, name: str) -> int:
            return sum(counts.get(source, {}).get(name, 0) for source in sources)

        added = {} if cleaned.punkt_trained is None else {"added": total(cleaned.added, "sentences")}
        return {
            **added,
            "rows": total(cleaned.rows, "rows"),
            "kept": total(cleaned.kept, "rows"),
            "characters": total(cleaned.kept, "characters"),
            "dropped": {reason: total(cleaned.dropped, reason) for reason in reasons},
            "masked": {kind: total(cleaned.masked, kind) for kind in cleaned.kinds},
        }

    punkt = {} if cleaned.punkt_trained is None else {"punkt_trained": int(cleaned.punkt_trained)}
    return {"sources": {source: figures([source]) for source in cleaned.rows}, "total": figures(list(cleaned.rows)), **punkt}


def sample_rows(samples: Samples) -> list[tuple[str, ...]]:
    """Return source, reason and text of each sample, each on one line."""
    return [(*kind.split(" "), " ".join(text.split())) for kind, found in samples.items() for _, text in found]
