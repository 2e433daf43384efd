"""Cleaning of a whole corpus: every row through the filters, exact duplicates out, and every dropped row counted."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tqdm import tqdm

from compactlm.artifacts import Document
from compactlm.corpus.cleaning import Drop, Filter, clean_text
from compactlm.errors import CompactLMError


@dataclasses.dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned corpus.

    Attributes:
        documents: what was kept, sorted by id.
        dropped: number of rows by source and reason.
    """

    documents: list[Document]
    dropped: Counter[tuple[str, Drop]]


def clean_documents(documents: Sequence[Document], filters: Sequence[Filter]) -> Cleaned:
    """Clean each document and drop exact duplicates; the result does not depend on the order of the documents."""
    dropped: Counter[tuple[str, Drop]] = Counter()
    kept = []
    for document in tqdm(documents, desc="clean", unit="row", mininterval=0.5, delay=2):
        text = clean_text(document.text, filters)
        if isinstance(text, Drop):
            dropped[document.source, text] += 1
        else:
            kept.append(dataclasses.replace(document, text=text))
    unique = drop_duplicates(kept, dropped)
    return Cleaned(documents=unique, dropped=dropped)


def check_something_left(before: Iterable[Document], cleaned: Cleaned) -> None:
    """Refuse a result in which a source has no row left; raises CompactLMError."""
    kept = {document.source for document in cleaned.documents}
    for source in sorted({document.source for document in before} - kept):
        reasons = ", ".join(f"{count:,} {reason}" for (name, reason), count in sorted(cleaned.dropped.items()) if name == source)
        raise CompactLMError(
            f"no row of source {source} is left after cleaning (dropped: {reasons}); change minimum_characters or maximum_characters "
            "in clean, or remove the source"
        )


def drop_duplicates(documents: Iterable[Document], dropped: Counter[tuple[str, Drop]]) -> list[Document]:
    """Keep one document of those with the same text, upper and lower case alike, and count the others in `dropped`.

    A labelled document wins over an unlabelled one, else the smallest id wins; each task keeps its own. Where labels of one
    task contradict each other, all of that task's documents with this text are dropped.
    """
    alike: defaultdict[str, list[Document]] = defaultdict(list)
    for document in documents:
        alike[document.text.casefold()].append(document)
    kept = []
    for group in alike.values():
        winners, reasons = _judge(sorted(group, key=lambda document: document.id))
        kept += winners
        dropped.update((document.source, reason) for document, reason in reasons)
    return sorted(kept, key=lambda document: document.id)


def _judge(group: list[Document]) -> tuple[list[Document], list[tuple[Document, Drop]]]:
    """Part documents of one text, sorted by id, into those to keep and those to drop."""
    if len(group) == 1:
        return group, []
    winners: list[Document] = []
    reasons: list[tuple[Document, Drop]] = []
    by_task: defaultdict[str, list[Document]] = defaultdict(list)
    for document in group:
        if document.task is not None:
            by_task[document.task].append(document)
    for members in by_task.values():
        if len({member.label for member in members}) > 1:
            reasons += [(member, Drop.CONTRADICTORY_LABEL) for member in members]
        else:
            winners.append(members[0])
            reasons += [(member, Drop.DUPLICATE) for member in members[1:]]
    unlabelled = [document for document in group if document.task is None]
    if not winners:
        winners, unlabelled = unlabelled[:1], unlabelled[1:]
    return winners, reasons + [(document, Drop.DUPLICATE) for document in unlabelled]


def clean_metrics(before: Iterable[Document], cleaned: Cleaned) -> dict[str, object]:
    """Return rows before and after, and the dropped rows by reason, for each source and in all."""
    rows = Counter(document.source for document in before)
    kept = Counter(document.source for document in cleaned.documents)
    characters: Counter[str] = Counter()
    for document in cleaned.documents:
        characters[document.source] += len(document.text)

    def figures(sources: Iterable[str]) -> dict[str, object]:
        names = list(sources)
        dropped = {reason.value: sum(cleaned.dropped[name, reason] for name in names) for reason in Drop}
        total = {"rows": rows, "kept": kept, "characters": characters}
        return {key: sum(counts[name] for name in names) for key, counts in total.items()} | {"dropped": dropped}

    return {"sources": {name: figures([name]) for name in sorted(rows)}, "total": figures(rows)}
