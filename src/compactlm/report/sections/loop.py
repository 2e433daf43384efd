"""New text after the training: the last comparison of `compactlm watch`, and benchmarks of such comparisons and of picked rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compactlm.figures.figure import Figure
from compactlm.figures.numbers import count, interval, percent, plain, points, words
from compactlm.report.blocks import Block, Cell, Section, Table, with_headings
from compactlm.report.findings import Findings

Row = list[str | Cell]
VERDICTS = ("no change was found", "the text has changed", "undecided, because there are too few rows")
TEXT, LABELS = "text", "labels"


def new_text(found: Findings) -> Section | None:
    """Return the section of changes of text; None if `compactlm watch --report` and `make bench-drift` were not run."""
    watched, benchmark = found.loop.get("watch"), found.benchmarks.get("drift")
    blocks: list[Block] = []
    lead = "New rows are compared with a reference sample of validation rows, by permutation tests of the text, its words and the answers."
    if watched:
        lead += (
            f" The last comparison, of {count(watched['rows'])} rows with {count(watched['reference_rows'])} reference rows of "
            f"{words(watched['task'])}: {VERDICTS[watched['status']]}. A change is reported in "
            f"{interval(watched['false_alarms'], percent)} of random splits of the reference rows."
        )
        blocks.append(_comparison(watched))
        blocks += [_words(watched["words"])] if watched["words"] else []
    if benchmark:
        blocks += [_power(benchmark), _estimates(benchmark)]
    return Section("new-text", "Changes of text", lead, blocks) if blocks else None


def _comparison(watched: Mapping[str, Any]) -> Table:
    rows: list[Row] = []
    for name, one in watched["findings"].items():
        changed = Cell("changed", "weak") if one["changed"] else "no change"
        rows.append([f"AUC of the {TEXT}" if name == TEXT else words(name), *_sides(name, one), plain(one["p"], 4), changed])
    for name, shares in watched["label_shares"].items():
        rows.append([f"answered {name}", percent(shares["reference"]), percent(shares["new"]), "", ""])
    if watched["accuracy"]:
        old, new = (interval(watched["accuracy"][side], percent) for side in ("reference", "estimated"))
        rows.append(["accuracy", old, f"{new}, estimated", "", ""])
    note = "An AUC of 0.5 means that a classifier cannot tell new text from old. The accuracy on new rows is estimated from the confidence."
    return Table("The last comparison", ["statistic", "reference rows", "new rows", "adjusted p", "verdict"], rows, note)


def _sides(name: str, one: Mapping[str, Any]) -> tuple[str, str]:
    if name == TEXT:
        return plain(0.5, 1), interval(one["new"])
    shown = (one.get(side) for side in ("reference", "new"))
    return tuple("" if name == LABELS else percent(value) for value in shown)  # type: ignore[return-value]


def _words(told: list[Mapping[str, Any]]) -> Table:
    rows: list[Row] = [[word["word"], percent(word["reference"], 0), percent(word["new"], 0)] for word in told]
    return Table("Words that tell new rows from old ones", ["word", "reference rows", "new rows"], rows, "Shares of rows.", narrow=True)


def _power(benchmark: Mapping[str, Any]) -> Table:
    sizes = list(map(str, benchmark["sizes"]))
    reported = benchmark["reported"]
    rows: list[Row] = [[name, *(_cell(reported[name].get(size)) for size in sizes)] for name in benchmark["order"] if name in reported]
    note = (
        f"{count(benchmark['repeats'])} draws of each, against {count(benchmark['reference_rows'])} reference rows that are drawn anew, "
        f"at the level {percent(benchmark['level'], 0)}. The first row has test rows of the task itself, so its shares are false alarms."
    )
    return Table("How often a change is reported", ["new rows", *(f"{size} rows" for size in sizes)], rows, note)


def _estimates(benchmark: Mapping[str, Any]) -> Table:
    rows: list[Row] = []
    for name in benchmark["order"]:
        one = benchmark["accuracy"].get(name)
        if one:
            rows.append([name, *(_cell(one.get(key)) for key in ("estimated", "measured", "error")), _cell(one.get("inside"))])
    head = ["new rows", "estimated", "measured", "mean error", "intervals that hold the measured accuracy"]
    note = f"The estimate calibrates the confidence on reference rows. Draws of {count(benchmark['estimate_rows'])} new rows."
    return Table("Estimated and measured accuracy", head, rows, note)


def picks(found: Findings) -> Section | None:
    """Return the section of `make bench-picks`; None if it was not run."""
    benchmark = found.benchmarks.get("picks")
    if not benchmark:
        return None
    lead = f"The accuracy after learning from rows picked in different ways, mean of {benchmark['seeds']} seeds. {benchmark['method']}"
    parts = [(name, _curve(one, benchmark["order"])) for name, one in benchmark["settings"].items()]
    return Section("picks", "Which rows are worth a label", lead, with_headings(parts))


def _curve(one: Mapping[str, Any], ways: Sequence[str]) -> list[Block]:
    sizes, difference = list(map(str, one["sizes"])), one["difference"]
    curve: list[Row] = [[count(int(size)), *(_cell(one["accuracy"][way].get(size)) for way in ways)] for size in sizes]
    differences: list[Row] = [[count(int(size)), *(_difference(difference[way].get(size)) for way in ways[1:])] for size in sizes]
    needed: list[Row] = [
        [way, *(interval(labels[way], count) if way in labels else "not reached" for labels in one["needed"].values())] for way in ways
    ]
    heads = ["picks", *(f"to reach {percent(float(target))}" for target in one["needed"])]
    return [
        Table(f"Accuracy on {count(one['test_rows'])} test rows", ["labels", *ways], curve),
        Table(f"Difference from {ways[0]} picks", ["labels", *ways[1:]], differences, narrow=True),
        Table("Labels that are needed", heads, needed, "Interpolated between the sizes of the curve.", narrow=True),
    ]


def _cell(figure: Figure | None) -> str | Cell:
    return "" if figure is None else Cell.of(figure, percent)


def _difference(figure: Figure | None) -> str | Cell:
    return "" if figure is None else interval(figure, points)
