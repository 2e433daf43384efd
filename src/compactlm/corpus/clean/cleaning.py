"""Cleaning of a corpus: filters for each shard, then duplicates across all shards. Every dropped row is counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from compactlm.corpus.clean.clean_shard import CleanShard
from compactlm.corpus.clean.filters.base import EMPTY, UNREPAIRABLE
from compactlm.corpus.clean.filters.composing import profile_filters
from compactlm.corpus.clean.filters.measures import TOO_LONG, TOO_SHORT
from compactlm.corpus.duplicates.dropping import AddKeys, deduplicate
from compactlm.corpus.duplicates.winners import CONTRADICTORY_LABEL, DUPLICATE
from compactlm.errors import CompactLMError
from compactlm.params import Clean, FilterSettings, PersonalKind, Split
from compactlm.params.filters import MaskPersonal
from compactlm.shards.engine import Engine, apply
from compactlm.shards.gathering import count_by_source, count_queries, cut
from compactlm.shards.reports import Counts, Samples, add_counts, smallest_samples
from compactlm.shards.shards import Manifest

# These reasons are counted even if they are 0, so that a figure does not come and go between two experiments.
ALWAYS_COUNTED = (CONTRADICTORY_LABEL, DUPLICATE, EMPTY, TOO_LONG, TOO_SHORT, UNREPAIRABLE)


@dataclasses.dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned corpus. All counts are by source.

    Attributes:
        shards: the working shards of the kept rows.
        rows: rows before cleaning.
        kept: kept rows and their characters.
        masked: masked personal data in the rows that the filters kept, by kind.
        kinds: the kinds of personal data that the filters mask.
        samples: some dropped texts, by "source reason".
        added: rows that cutting into sentences added, by source.
        queries: the queries of the kept rows (`kept`), and those that the filters dropped (`dropped`); empty without such a column.
        punkt_trained: whether Punkt learnt abbreviations from the corpus; None if no row is split into sentences.
        labelled: the sources with labelled rows.
    """

    shards: list[Path]
    rows: Counts
    kept: Counts
    dropped: Counts
    masked: Counts
    kinds: tuple[PersonalKind, ...]
    samples: Samples
    added: Counts
    queries: Counts
    punkt_trained: bool | None
    labelled: tuple[str, ...] = ()


def filters_of(clean: Clean) -> list[FilterSettings]:
    """Return the settings of the filters in order: those that are listed, or those of the profile."""
    if clean.profile == "own":
        return list(clean.filters or ())
    return profile_filters(clean.profile, clean.minimum_characters, clean.maximum_characters)


def clean_corpus(
    parts: Sequence[Path], work: Path, clean: Clean, seed: int, engine: Engine, shard_bytes: int, split: Split | None = None
) -> Cleaned:
    """Clean the corpus in the parts of an artifact. The result depends neither on the engine nor on the size of the shards.

    Working shards have about `shard_bytes` of text; finished ones in `work` are reused. Among duplicates, the row that a stable `split`
    holds out is kept. The seed draws the splits, the dropped rows that are shown, and the permutations of MinHash.

    Raises:
        CompactLMError: a source has no row left.
    """
    filters = filters_of(clean)
    function = CleanShard(tuple(filters), seed, clean.samples)
    if sum(part.stat().st_size for part in parts) > shard_bytes:  # compressed, so there are several shards
        engine.prepare(function.prepare)
    shards = cut(parts, work / "in", shard_bytes)
    # If rows are split into sentences, the sentences get the keys instead.
    cleaned, filtered = apply(shards, work / "cleaned", engine, AddKeys(function) if clean.sentences is None else function)
    cut_up: list[Manifest] = []
    trained: bool | None = None
    if clean.sentences is not None:
        # Imported late because importing NLTK takes a second.
        from compactlm.corpus.clean.sentence_cutting import cut_sentences

        cleaned, cut_up, trained = cut_sentences(cleaned, work, engine, clean.sentences, seed, clean.samples)
    left, deduplicated = deduplicate(cleaned, work, engine, clean.near_duplicates, seed, clean.samples, split)
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
        queries=add_counts([count_queries(left), *(manifest.report.queries for manifest in filtered)]),
        punkt_trained=trained,
        labelled=tuple(sorted({source for shard in shards for source in _labelled(shard)})),
    )
    _check_all_rows_counted(result)
    _check_no_source_is_empty(result)
    return result


def _labelled(shard: Path) -> list[str]:
    table = pq.read_table(shard, columns=["source", "task"])
    found: list[str] = table.filter(pc.is_valid(table["task"]))["source"].unique().to_pylist()
    return found


def _check_all_rows_counted(cleaned: Cleaned) -> None:
    for source, counts in cleaned.rows.items():
        kept = cleaned.kept.get(source, {}).get("rows", 0)
        dropped, added = (sum(found.get(source, {}).values()) for found in (cleaned.dropped, cleaned.added))
        if counts["rows"] + added != kept + dropped:
            raise RuntimeError(f"{source} had {counts['rows']} rows and got {added} more, but {kept} are left and {dropped} were dropped")


def _check_no_source_is_empty(cleaned: Cleaned) -> None:
    for source in cleaned.rows:
        if source not in cleaned.kept:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in cleaned.dropped[source].items())
            raise CompactLMError(
                f"no row of source {source} is left after cleaning (dropped: {reasons}); change the profile, the filters or the bounds "
                "in clean, or remove the source"
            )


def clean_metrics(cleaned: Cleaned) -> dict[str, object]:
    """Return rows before and after, dropped rows by reason and masked items by kind, for each source and in total."""
    reasons = sorted({*ALWAYS_COUNTED, *(reason for counts in cleaned.dropped.values() for reason in counts)})

    def figures(sources: Sequence[str]) -> dict[str, object]:
        def total(counts: Counts, name: str) -> int:
            return sum(counts.get(source, {}).get(name, 0) for source in sources)

        asked = any(source in cleaned.queries for source in sources)
        added = {} if cleaned.punkt_trained is None else {"added": total(cleaned.added, "sentences")}
        return {
            **added,
            "rows": total(cleaned.rows, "rows"),
            "kept": total(cleaned.kept, "rows"),
            "characters": total(cleaned.kept, "characters"),
            "dropped": {reason: total(cleaned.dropped, reason) for reason in reasons},
            "masked": {kind: total(cleaned.masked, kind) for kind in cleaned.kinds},
            **({"queries": {"kept": total(cleaned.queries, "kept"), "dropped": total(cleaned.queries, "dropped")}} if asked else {}),
        }

    punkt = {} if cleaned.punkt_trained is None else {"punkt_trained": int(cleaned.punkt_trained)}
    return {"sources": {source: figures([source]) for source in cleaned.rows}, "total": figures(list(cleaned.rows)), **punkt}


def sample_rows(samples: Samples) -> list[tuple[str, ...]]:
    """Return source, reason and text of each sample, with the text on one line."""
    return [(*kind.split(" "), " ".join(text.split())) for kind, found in samples.items() for _, text in found]
