"""Augmented copies of labelled rows: which augmenter makes each copy, what is kept, and how much was changed."""

from __future__ import annotations

import collections
import dataclasses
import difflib
import hashlib
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from compactlm.artifacts import Document
from compactlm.corpus.augment.masked import MaskedWordAug, Proposer, Thesaurus
from compactlm.corpus.augment.processes import WORD_AUGMENTERS, Spread, WordSettings, WordWorkers
from compactlm.corpus.augment.reserved import Reserved
from compactlm.corpus.augment.words import Rewriter
from compactlm.draws import draw_bits
from compactlm.params import Augment

# The order in which shares are laid out for the draw; a new one comes last, so that the draws of the others stay what they are.
AUGMENTERS = ("synonym", "insert", *WORD_AUGMENTERS)
REASONS = ("empty", "same_as_original", "same_as_other_copy")
LABEL_CHANGED = "label_changed"


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """The copies, sorted by id, the number of dropped ones by reason (all of REASONS), and how many were asked for."""

    copies: list[Document]
    dropped: dict[str, int]
    asked: int

    def __post_init__(self) -> None:
        """Check that no copy is lost."""
        made, dropped = len(self.copies), sum(self.dropped.values())
        if self.asked != made + dropped:
            raise RuntimeError(f"{self.asked} copies were asked for, {made} are left and {dropped} were counted as dropped")


@dataclasses.dataclass(frozen=True)
class _Job:
    """One copy to be made."""

    row: Document
    copy: int
    augmenter: str
    seed: int


def make_rewriters(
    settings: Augment,
    texts: Sequence[str],
    proposer: Proposer,
    thesaurus: Thesaurus | None,
    terms: Collection[str] = (),
    processes: int = 1,
) -> dict[str, Rewriter]:
    """Return the augmenters that have a share, by name.

    Args:
        settings: the section of params.yaml; of a text's words each augmenter changes `share_of_words`, and at least one.
        texts: what TF-IDF counts words in.
        proposer: the masked language model behind `synonym` and `insert`.
        thesaurus: an additional source of synonyms, or None.
        terms: of protected groups, which are left alone where settings reserve them.
        processes: in how many the augmenters work that need no model, where there is enough to do; it changes no copy.
    """
    share, reserved = settings.share_of_words, Reserved(settings.reserved, terms)
    counted = tuple(texts) if settings.shares.get("tfidf") else ()
    workers = WordWorkers(WordSettings(share, tuple(settings.reserved), tuple(sorted(terms)), counted), processes)
    every: dict[str, Rewriter] = {
        "synonym": MaskedWordAug("substitute", proposer, share, thesaurus, reserved),
        "insert": MaskedWordAug("insert", proposer, share, None, reserved),
        **{name: Spread(name, workers) for name in WORD_AUGMENTERS},
    }
    shares: Mapping[Any, float] = settings.shares
    return {name: every[name] for name in AUGMENTERS if shares.get(name)}


def keep_labels(result: Augmentation, agreed: Mapping[str, bool]) -> Augmentation:
    """Return the copies whose label a classifier agrees with, by id, and count the others."""
    kept = [copy for copy in result.copies if agreed[copy.id]]
    changed = sum(not agreed[copy.id] for copy in result.copies)
    return Augmentation(kept, {**result.dropped, LABEL_CHANGED: changed}, result.asked)


def augment(rows: Iterable[Document], settings: Augment, seed: int, rewriters: dict[str, Rewriter]) -> Augmentation:
    """Make `settings.copies` copies of every labelled row.

    Each copy is made by one augmenter, drawn by `settings.shares` from (seed, row id, number of the copy), so that it
    does not depend on the other rows or their order. Rows without a label, and rows that are derived themselves, get none.
    A copy that is empty or equals its original or another copy of the same row, whatever the case of its letters, is dropped.

    Args:
        rows: rows of the train split.
        settings: the section of params.yaml.
        seed: the experiment's seed.
        rewriters: the augmenters by name, as from `make_rewriters`.
    """
    jobs = [
        _plan(row, copy, settings.shares, seed)
        for row in rows
        if row.task is not None and row.label is not None and row.parent is None
        for copy in range(settings.copies)
    ]
    return _keep(jobs, _rewrite(jobs, rewriters))


def _plan(row: Document, copy: int, shares: Mapping[Any, float], seed: int) -> _Job:
    weights = [shares.get(name, 0.0) for name in AUGMENTERS]
    augmenter = random.Random(draw_bits("augmenter", seed, row.id, copy)).choices(AUGMENTERS, weights)[0]
    return _Job(row, copy, augmenter, draw_bits("augment", seed, row.id, copy))


def _rewrite(jobs: Sequence[_Job], rewriters: dict[str, Rewriter]) -> list[str]:
    texts = [""] * len(jobs)
    with tqdm(total=len(jobs), desc="augment", unit="copy", mininterval=0.5, disable=not jobs) as progress:
        for name in AUGMENTERS:
            chosen = [position for position, job in enumerate(jobs) if job.augmenter == name]
            if not chosen:
                continue
            rewritten = rewriters[name].rewrite([jobs[position].row.text for position in chosen], [jobs[p].seed for p in chosen])
            for position, text in zip(chosen, rewritten, strict=True):
                texts[position] = text
            progress.update(len(chosen))
    return texts


def _keep(jobs: Sequence[_Job], texts: Sequence[str]) -> Augmentation:
    copies: list[Document] = []
    dropped = dict.fromkeys(REASONS, 0)
    seen: dict[str, set[str]] = collections.defaultdict(set)
    for job, text in zip(jobs, texts, strict=True):
        folded = " ".join(text.casefold().split())
        if not folded:
            dropped["empty"] += 1
        elif folded == " ".join(job.row.text.casefold().split()):
            dropped["same_as_original"] += 1
        elif folded in seen[job.row.id]:
            dropped["same_as_other_copy"] += 1
        else:
            seen[job.row.id].add(folded)
            copies.append(_derive(job, text))
    return Augmentation(sorted(copies, key=lambda copy: copy.id), dropped, len(jobs))


def _derive(job: _Job, text: str) -> Document:
    name = "\0".join((job.row.id, job.augmenter, str(job.copy), text))
    digest = hashlib.sha256(name.encode()).hexdigest()[:32]
    return dataclasses.replace(job.row, id=digest, text=text, parent=job.row.id, augmenter=job.augmenter)


def changed_share(original: str, copy: str) -> float:
    """Return the words that were replaced, added, removed or moved, as a share of the original's words."""
    before, after = original.split(), copy.split()
    operations = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changed = sum(max(i2 - i1, j2 - j1) for kind, i1, i2, j1, j2 in operations if kind != "equal")
    return changed / len(before) if before else 0.0


def summarise(rows: Sequence[Document], result: Augmentation, drawn: Collection[str]) -> dict[str, object]:
    """Return the numbers of an augmentation by the augmenters of `drawn`.

    Returns:
        `rows` (labelled rows), `asked` (copies asked for), `copies`, `dropped` by reason, `by_augmenter` (copies) and
        `changed_words` (mean share of the original's words), each by augmenter; an augmenter without copies has no share.
    """
    originals = {row.id: row.text for row in rows if row.task is not None and row.label is not None}
    shares: dict[str, list[float]] = {name: [] for name in AUGMENTERS}
    for copy in result.copies:
        shares[copy.augmenter or ""].append(changed_share(originals[copy.parent or ""], copy.text))
    return {
        "rows": len(originals),
        "asked": result.asked,
        "copies": len(result.copies),
        "dropped": result.dropped,
        "by_augmenter": {name: len(values) for name, values in shares.items() if name in drawn or values},
        "changed_words": {name: sum(values) / len(values) for name, values in shares.items() if values},
    }
