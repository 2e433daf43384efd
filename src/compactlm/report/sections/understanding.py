"""The quality of the student's sentence embedding, compared with the teacher and a static table, also where context decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from compactlm.figures.figure import Figure
from compactlm.figures.numbers import count, percent, size, words
from compactlm.report.blocks import Cell, Section, Table
from compactlm.report.embedding_figures import BENCHMARK, CONTESTANTS, context_rows, embeddings, figure_rows, figure_title, shown
from compactlm.report.findings import Findings

CAPTION = "Sentence embeddings on test rows"
CONTEXT_CAPTION = "Triples whose right text is nearer, by what decides"

Row = list[str | Cell]


def understanding(found: Findings) -> Section | None:
    """Return the section; None if the student has no sentence embedding."""
    measured = embeddings(found)
    if not measured:
        return None
    names = [name for name in CONTESTANTS if name in measured]
    rows: list[Row] = [[figure_title(key), *(_cell(one, shown(key)) for one in figures)] for key, figures in figure_rows(measured, names)]
    tables = [Table(CAPTION, ["figure", *(CONTESTANTS[name] for name in names)], rows)]
    if measured["context"]:
        tables.append(context_table(measured))
    settings = found.params.evaluate.embedding
    lead = (
        f"Vectors of sentences: whether a question is nearer to its own passage (cut to {settings.passage_words} words) than to any other, "
        f"how the similarities of all pairs of {count(settings.sentences)} sentences agree with the teacher's, and how accurate logistic "
        f"regression over the vectors of few labelled rows is (mean of {settings.draws} draws). The static table holds each of the "
        "student's tokens as the teacher reads it alone, with as many components as the student's hidden states. A text is the weighted "
        "mean of its tokens. "
        "In the second table, an anchor must be nearer to a text that means the same than to one that does not; a tie counts as half."
    )
    return Section("understanding", "What the student understands", lead, tables)


def context_table(measured: Mapping[str, Any]) -> Table:
    """Return the table of the texts where context decides."""
    names = [name for name in CONTESTANTS if any(name in figures for figures in measured["context"].values())]
    rows: list[Row] = [[words(kind), *(_cell(one, percent) for one in figures)] for kind, figures in context_rows(measured, names)]
    return Table(CONTEXT_CAPTION, ["decides", *(CONTESTANTS[name] for name in names)], rows)


def _cell(figure: Figure | None, show: Callable[[float], str]) -> str | Cell:
    return "" if figure is None else Cell.of(figure, show)


def embedding_benchmark(found: Findings) -> Section | None:
    """Return the section of `make bench-embedding`; None if it was not run."""
    measured = found.benchmarks.get("embedding")
    if not measured:
        return None
    contestants = {name: measured["contestants"][name] for name in measured["order"]}
    keys = [key for key in BENCHMARK if any(key in one["figures"] for one in contestants.values())]
    rows: list[Row] = [
        [name, size(one["bytes"]) if one["bytes"] else "", *(_cell(one["figures"].get(key), shown(key)) for key in keys)]
        for name, one in contestants.items()
    ]
    head = ["embedding", "size", *map(figure_title, keys)]
    lead = (
        f"One run of `make bench-embedding` on the test rows of seed {measured['seed']}, preset {measured['preset']}; few labelled rows in "
        f"{measured['draws']} draws, the same for all. The size is that of the weights."
    )
    return Section("embedding-benchmark", "Sentence embeddings next to others", lead, [Table("The benchmark", head, rows)])
