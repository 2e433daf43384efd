"""Make augmented copies of labelled rows, choose the copies to keep, and measure how much of each text changes."""

from __future__ import annotations

import collections
import dataclasses
import difflib
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tqdm import tqdm

from compactlm.artifacts import Document, derived_id
from compactlm.corpus.augment.contextual import MaskedWordAug, Proposer, Thesaurus
from compactlm.corpus.augment.parallel import ParallelWords, WordSettings
from compactlm.corpus.augment.reserved import Reserved
from compactlm.corpus.augment.sides import Sides, changed_texts, is_labelled
from compactlm.corpus.augment.synonyms import Lookup, SynonymAug
from compactlm.corpus.augment.words import WORD_AUGMENTERS, Rewrite
from compactlm.draws import draw_bits, draw_generator
from compactlm.figures.figure import Figure
from compactlm.params import Augment, Task

AUGMENTERS = ("synonym", "insert", *WORD_AUGMENTERS)
REASONS = ("empty", "same_as_original", "same_as_other_copy")
LABEL_CHANGED = "label_changed"
LABEL_LOST = "label_lost"  # tags of words that no longer fit the words


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """The copies, sorted by id, the number of dropped copies by reason (with all of REASONS), and the number of requested copies."""

    copies: list[Document]
    dropped: dict[str, int]
    requested: int

    def __post_init__(self) -> None:
        """Check that every copy is counted."""
        made, dropped = len(self.copies), sum(self.dropped.values())
        if self.requested != made + dropped:
            raise RuntimeError(f"{self.requested} copies were requested, but {made} are left and {dropped} were counted as dropped")


@dataclasses.dataclass(frozen=True)
class _Job:
    """A copy to make by changing `text` of a row; see Sides."""

    row: Document
    copy: int
    augmenter: str
    seed: int
    text: str


@dataclasses.dataclass(frozen=True)
class WordSource:
    """The source of words for the augmenters `synonym` and `insert`.

    Attributes:
        lookup: finds words for `synonym` word by word; None if the proposer finds them.
        proposer: finds words by their context, for `synonym` and `insert`.
        thesaurus: adds its synonyms to those of the proposer, and excludes antonyms.
    """

    lookup: Lookup | None = None
    proposer: Proposer | None = None
    thesaurus: Thesaurus | None = None


def make_rewriters(
    settings: Augment, texts: Sequence[str], source: WordSource, terms: Collection[str] = (), processes: int = 1
) -> dict[str, Rewrite]:
    """Return the augmenters that have a share, by name. Each changes the share `share_of_words` of a text's words, at least one word.

    `synonym` and `insert` draw from the source, and TF-IDF counts the words of `texts`. The terms of protected groups do not change if the
    settings reserve them. The other augmenters run in `processes` processes; their number does not affect the copies.
    """
    share, reserved = settings.share_of_words, Reserved(settings.reserved, terms)
    counted = tuple(texts) if settings.shares.get("tfidf") else ()
    words = ParallelWords(WordSettings(share, tuple(settings.reserved), tuple(sorted(terms)), counted), processes)
    every: dict[str, Rewrite] = {
        **{name: functools.partial(words.rewrite, name) for name in WORD_AUGMENTERS},
    }
    if source.proposer:
        every["synonym"] = MaskedWordAug("substitute", source.proposer, share, source.thesaurus, reserved).rewrite
        every["insert"] = MaskedWordAug("insert", source.proposer, share, None, reserved).rewrite
    if source.lookup:
        every["synonym"] = SynonymAug(source.lookup, share, reserved).rewrite
    shares: Mapping[Any, float] = settings.shares
    return {name: every[name] for name in AUGMENTERS if shares.get(name)}


def keep_labels(result: Augmentation, agreed: Mapping[str, bool]) -> Augmentation:
    """Drop the copies whose label a classifier does not agree with (`agreed`, by the id of the copy)."""
    kept = [copy for copy in result.copies if agreed[copy.id]]
    changed = sum(not agreed[copy.id] for copy in result.copies)
    return Augmentation(kept, {**result.dropped, LABEL_CHANGED: changed}, result.requested)


def augment(
    rows: Iterable[Document],
    settings: Augment,
    seed: int,
    rewriters: dict[str, Rewrite],
    tasks: Mapping[str, Task] = MappingProxyType({}),
) -> Augmentation:
    """Make `settings.copies` copies of every labelled row.

    The seed, the id of the row and the number of the copy draw the augmenter (with the probabilities `settings.shares`) and, for a pair,
    which text changes. A copy does not depend on other rows or their order. Rows without a label and rows that are copies get no copies. A
    copy is dropped if it is empty, if it differs from its original or another copy of the row only in case, or if its labels no longer fit.
    Words with tags are not swapped.
    """
    sides = Sides(tasks, seed)
    jobs = [
        job
        for row in rows
        if row.task is not None and is_labelled(row) and row.parent is None
        for copy in range(settings.copies)
        if (job := _plan(row, copy, settings.shares, seed, sides)) is not None
    ]
    return _keep(jobs, _rewrite(jobs, rewriters), sides)


def _plan(row: Document, copy: int, shares: Mapping[Any, float], seed: int, sides: Sides) -> _Job | None:
    weights = [0.0 if row.tags is not None and name == "swap" else shares.get(name, 0.0) for name in AUGMENTERS]
    if not any(weights):
        return None
    augmenter = draw_generator("augmenter", seed, row.id, copy).choices(AUGMENTERS, weights)[0]
    return _Job(row, copy, augmenter, draw_bits("augment", seed, row.id, copy), sides.text(row, copy))


def _rewrite(jobs: Sequence[_Job], rewriters: dict[str, Rewrite]) -> list[str]:
    texts = [""] * len(jobs)
    with tqdm(total=len(jobs), desc="augment", unit="copy", mininterval=0.5, disable=not jobs) as progress:
        for name in AUGMENTERS:
            chosen = [position for position, job in enumerate(jobs) if job.augmenter == name]
            if not chosen:
                continue
            rewritten = rewriters[name]([jobs[position].text for position in chosen], [jobs[p].seed for p in chosen])
            for position, text in zip(chosen, rewritten, strict=True):
                texts[position] = text
            progress.update(len(chosen))
    return texts


def _keep(jobs: Sequence[_Job], texts: Sequence[str], sides: Sides) -> Augmentation:
    copies: list[Document] = []
    dropped = dict.fromkeys(REASONS, 0)
    seen: dict[str, set[str]] = collections.defaultdict(set)
    for job, text in zip(jobs, texts, strict=True):
        folded = " ".join(text.casefold().split())
        changed = sides.changed(job.row, job.copy, text)
        if not folded:
            dropped["empty"] += 1
        elif folded == " ".join(job.text.casefold().split()):
            dropped["same_as_original"] += 1
        elif folded in seen[job.row.id]:
            dropped["same_as_other_copy"] += 1
        elif changed is None:
            dropped[LABEL_LOST] = dropped.get(LABEL_LOST, 0) + 1
        else:
            seen[job.row.id].add(folded)
            copies.append(_derive(job, text, changed))
    return Augmentation(sorted(copies, key=lambda copy: copy.id), dropped, len(jobs))


def _derive(job: _Job, text: str, changed: Document) -> Document:
    name = derived_id(job.row.id, job.augmenter, job.copy, text)
    return dataclasses.replace(changed, id=name, parent=job.row.id, augmenter=job.augmenter, queries=())


def changed_share(original: str, copy: str) -> float:
    """Return the number of replaced, added, removed or moved words as a share of the words of the original."""
    before, after = original.split(), copy.split()
    operations = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changed = sum(max(i2 - i1, j2 - j1) for kind, i1, i2, j1, j2 in operations if kind != "equal")
    return changed / len(before) if before else 0.0


def summarise(rows: Sequence[Document], result: Augmentation, drawn: Collection[str]) -> dict[str, object]:
    """Return the metrics of an augmentation of `rows` by the augmenters `drawn`.

    Returns:
        `rows` (labelled rows), `requested` (copies), `copies`, `dropped` by reason, `by_augmenter` (copies) and `changed_words`
        (mean share of the words of the original as a figure, by augmenter; an augmenter without copies has none).
    """
    originals = {row.id: row for row in rows if row.task is not None and is_labelled(row)}
    shares: dict[str, list[float]] = {name: [] for name in AUGMENTERS}
    for copy in result.copies:
        shares[copy.augmenter or ""].append(changed_share(*changed_texts(originals[copy.parent or ""], copy)))
    return {
        "rows": len(originals),
        "requested": result.requested,
        "copies": len(result.copies),
        "dropped": result.dropped,
        "by_augmenter": {name: len(values) for name, values in shares.items() if name in drawn or values},
        "changed_words": {
            name: Figure.over_rows(sum(values) / len(values), len(values)).to_json() for name, values in shares.items() if values
        },
    }
