"""The text: what cleaning left of it, how varied it is, and what augmentation changed of that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compactlm.artifacts import SPLITS
from compactlm.report.blocks import Block, Chart, Heading, Section, Table, Text
from compactlm.report.drawings.line_chart import Axis, Series, draw_lines
from compactlm.report.findings import Findings
from compactlm.figures.numbers import NOT_JUDGED, count, listed, percent, plain, words

ALL = "all"  # of the sources of a split
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
        Heading("Diversity"),
        *_growth(found),
        *_splits(found),
        *_augmentation(found),
    ]
    lead = (
        f"Diversity is measured over the first {count(settings.words)} words in an order drawn by the seed: the type-token ratio in "
        f"windows of {count(settings.window)} words, the shares of different words, pairs and triples, and self-BLEU of "
        f"{count(settings.bleu_texts)} texts, which is 1 for copies and near 0 for texts that have nothing in common. "
        "Near-duplicates are the rows that are like an earlier one of the same split and source. "
        "Compare figures over equally much text alone."
    )
    return Section("text", "The text", lead, blocks)


def _cleaning(clean: Mapping[str, Any]) -> Table:
    cut = "added" in clean["total"]
    head = ["source", "rows", *(["added"] if cut else []), "kept", "dropped", "masked"]
    rows = [[words(name), *_cleaned(part)] for name, part in [*clean["sources"].items(), ("all", clean["total"])]]
    note = "Masked: personal data for which a placeholder such as [EMAIL] stands, in rows that the filters kept."
    if cut:
        known = "what Punkt learnt from them" if clean["punkt_trained"] else "what NLTK knows of the language"
        note += f" Added: rows that there are more since texts were cut into sentences, by {known}."
    return Table("What cleaning left", head, rows, note)


def _left_out(found: Findings) -> list[Block]:
    rows = {name: number for name, number in found.metrics["split"].get("left_out", {}).items() if number}
    if not rows:
        return []
    told = listed([f"{count(number)} of {words(name)}" for name, number in sorted(rows.items())])
    return [Text(f"Left out of the splits, since they are like rows of another split or have no place in one: {told}.")]


def _cleaned(part: Mapping[str, Any]) -> list[str]:
    told = [
        listed([f"{count(number)} {words(kind)}" for kind, number in part.get(counted, {}).items() if number]) or "none"
        for counted in ("dropped", "masked")
    ]
    return [*(count(part[name]) for name in ("rows", "added", "kept") if name in part), *told]


def _splits(found: Findings) -> list[Block]:
    head = ["source", "rows", "words", "labels", *SAMENESS.values(), "near-duplicates"]
    blocks: list[Block] = []
    for split in SPLITS:
        sources = found.metrics["diversity"].get(split, {})
        rows = [[words(name), *_varied(sources[name])] for name in sorted(sources, key=lambda name: (name != ALL, name))]
        if rows:
            blocks.append(Table(f"Diversity of {split} by source", head, rows))
    return blocks


def _varied(part: Mapping[str, Any]) -> list[str]:
    if not part.get("judged", 1):
        return [count(part["rows"]), count(part["words"]), *[NOT_JUDGED] * (len(SAMENESS) + 2)]
    labels = listed([f"{percent(share)} {words(label)}" for label, share in part["labels"].items()]) or "none"
    copies = part.get("near_duplicate_rate")
    told = "not looked for" if copies is None else percent(copies)
    return [count(part["rows"]), count(part["words"]), labels, *(plain(part.get(name)) for name in SAMENESS), told]


def _growth(found: Findings) -> list[Block]:
    series = []
    for split in SPLITS:
        grown = found.metrics["diversity"].get(split, {}).get(ALL, {}).get("vocabulary", {})
        if grown:
            series.append(Series(split, sorted((float(seen), float(different)) for seen, different in grown.items())))
    if not series:
        return []
    title = "Growth of the vocabulary"
    told = "; ".join(f"{one.name}: {count(one.points[-1][1])} different words among {count(one.points[-1][0])}" for one in series)
    svg = draw_lines(title, told, Axis("words", low=0.0), Axis("different", low=0.0), series)
    return [Chart(f"{title}. {told[0].upper()}{told[1:]}.", svg)]


def augmentation_figures(found: Findings, step: str) -> dict[str, float]:
    """Return the figures of the labelled train rows at a step of AUGMENTATION, by name; those that could be told."""
    measured = found.metrics["augment"].get("diversity", {}).get(step, {})
    return {told: measured[name] for name, told in SAMENESS.items() if name in measured and measured.get("judged", 1)}


def _augmentation(found: Findings) -> list[Block]:
    made = found.metrics["augment"]
    if "diversity" not in made:
        return []
    steps = [augmentation_figures(found, step) for step in AUGMENTATION]
    rows = [[name, *(plain(step.get(name)) for step in steps)] for name in SAMENESS.values()]
    rows.insert(0, ["rows", *(count(made["diversity"][step]["rows"]) for step in AUGMENTATION)])
    dropped = [f"{count(number)} {words(reason)}" for reason, number in made["dropped"].items() if number]
    note = f"Of {count(made['asked'])} copies asked for, {count(made['copies'])} are kept; dropped: {listed(dropped) or 'none'}."
    return [Table("Diversity of the labelled train rows, and augmentation", ["figure", *AUGMENTATION.values()], rows, note)]
