"""The text: the rows that cleaning kept, their diversity, and the effect of augmentation on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compactlm.artifacts import SPLITS
from compactlm.figures.figure import Figure
from compactlm.figures.numbers import capital, count, listed, percent, plain, words
from compactlm.report.blocks import Block, Cell, Chart, Heading, Section, Table, Text
from compactlm.report.drawings.line_chart import Axis, Series, draw_lines
from compactlm.report.findings import Findings

ALL = "all"  # the sources of a split together
SAMENESS = {
    "type_token_ratio": "type-token ratio",
    "distinct_1": "distinct words",
    "distinct_2": "distinct pairs",
    "distinct_3": "distinct triples",
    "self_bleu": "self-BLEU",
}
AUGMENTATION = {"before": "without copies", "after": "with copies"}


def text(found: Findings) -> Section:
    """Return the section."""
    settings = found.params.diversity
    blocks: list[Block] = [
        _cleaning(found.metrics["clean"]),
        *_left_out(found),
        *(Text(f"{capital(sentence)}.") for sentence in found.notices),
        Heading("Diversity"),
        *_growth(found),
        *_splits(found),
        *_augmentation(found),
    ]
    lead = (
        f"Diversity is measured on the first {count(settings.words)} words, in a random order of rows: the type-token ratio in windows of "
        f"{count(settings.window)} words, the shares of distinct words, pairs and triples, and the self-BLEU of "
        f"{count(settings.bleu_texts)} texts. Self-BLEU is 1 for identical texts and near 0 for texts without common words. "
        "A near-duplicate is a row that is similar to an earlier row of the same split and source. Compare only figures of the same "
        "amount of text."
    )
    return Section("text", "The text", lead, blocks)


def _cleaning(clean: Mapping[str, Any]) -> Table:
    cut = "added" in clean["total"]
    head = ["source", "rows", *(["added"] if cut else []), "kept", "dropped", "masked"]
    rows = [[words(name), *_cleaned(part)] for name, part in [*clean["sources"].items(), ("all", clean["total"])]]
    note = "Masked: personal data that a placeholder such as [EMAIL] replaces, in the kept rows."
    if cut:
        known = "that Punkt learnt from them" if clean["punkt_trained"] else "from NLTK's data for the language"
        note += f" Added: rows gained by splitting texts into sentences, with abbreviations {known}."
    return Table("Rows that cleaning kept", head, rows, note)


def _cleaned(part: Mapping[str, Any]) -> list[str]:
    reasons = [
        listed([f"{count(number)} {words(kind)}" for kind, number in part.get(counted, {}).items() if number]) or "none"
        for counted in ("dropped", "masked")
    ]
    return [*(count(part[name]) for name in ("rows", "added", "kept") if name in part), *reasons]


def _left_out(found: Findings) -> list[Block]:
    rows = {name: number for name, number in found.metrics["split"].get("left_out", {}).items() if number}
    if not rows:
        return []
    counts = listed([f"{count(number)} of {words(name)}" for name, number in sorted(rows.items())])
    return [Text(f"Rows left out of the splits, because they are similar to rows of another split or fit in none: {counts}.")]


def _growth(found: Findings) -> list[Block]:
    series = []
    for split in SPLITS:
        grown = found.metrics["diversity"].get(split, {}).get(ALL, {}).get("vocabulary", {})
        if grown:
            series.append(Series(split, sorted((float(seen), float(distinct)) for seen, distinct in grown.items())))
    if not series:
        return []
    title = "Growth of the vocabulary"
    ends = "; ".join(f"{one.name}: {count(one.points[-1][1])} distinct words among {count(one.points[-1][0])}" for one in series)
    svg = draw_lines(title, ends, Axis("words", low=0.0), Axis("distinct words", low=0.0), series)
    return [Chart(f"{title}. {capital(ends)}.", svg)]


def _splits(found: Findings) -> Iterator[Block]:
    head = ["source", "rows", "words", "labels", *SAMENESS.values(), "near-duplicates"]
    for split in SPLITS:
        sources = found.metrics["diversity"].get(split, {})
        rows = [[words(name), *_varied(sources[name])] for name in sorted(sources, key=lambda name: (name != ALL, name))]
        if rows:
            yield Table(f"Diversity of {split} by source", head, rows)


def _varied(part: Mapping[str, Any]) -> list[str | Cell]:
    labels = listed([f"{percent(share.value)} {words(label)}" for label, share in part["labels"].items()]) or "none"
    copies = part.get("near_duplicate_rate")
    found = "not measured" if copies is None else percent(copies)
    measures = [Cell.of(part[name]) if name in part else Cell("too little text", "weak") for name in SAMENESS]
    return [count(part["rows"]), count(part["words"]), labels, *measures, found]


def augmentation_figures(found: Findings, step: str) -> dict[str, float]:
    """Return the judged measures of the labelled train rows at a step of AUGMENTATION, by name."""
    measured = found.metrics["augment"].get("diversity", {}).get(step, {})
    return {
        name: figure.value
        for key, name in SAMENESS.items()
        if isinstance(figure := measured.get(key), Figure) and figure.judged and figure.value is not None
    }


def _augmentation(found: Findings) -> list[Block]:
    made = found.metrics["augment"]
    if "diversity" not in made:
        return []
    steps = [augmentation_figures(found, step) for step in AUGMENTATION]
    rows = [[name, *(plain(step.get(name)) for step in steps)] for name in SAMENESS.values()]
    rows.insert(0, ["rows", *(count(made["diversity"][step]["rows"]) for step in AUGMENTATION)])
    dropped = [f"{count(number)} {words(reason)}" for reason, number in made["dropped"].items() if number]
    note = f"{count(made['copies'])} of {count(made['requested'])} requested copies are kept. Dropped: {listed(dropped) or 'none'}."
    return [Table("Diversity of the labelled train rows, and augmentation", ["measure", *AUGMENTATION.values()], rows, note)]
