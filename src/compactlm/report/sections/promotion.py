"""The last verdict of `compactlm promote --report`: the new model against the version in use."""

from __future__ import annotations

from compactlm.figures.figure import Figure
from compactlm.figures.numbers import count, interval, percent, points, status
from compactlm.report.blocks import Cell, Section, Table
from compactlm.report.findings import Findings

VERDICTS = ("it was promoted", "it was refused", "it was refused because the comparison is undecided")


def promotion(found: Findings) -> Section | None:
    """Return the section; None if no verdict was written."""
    verdict = found.loop.get("promotion")
    if not verdict:
        return None
    refused = "; ".join(verdict["refused_by"])
    lead = f"A model was compared with {verdict['champion']} on the same rows: {VERDICTS[verdict['status']]}" + (
        f" ({refused})." if refused else "."
    )
    tables = []
    for task, lines in sorted(verdict["tasks"].items()):
        rows: list[list[str | Cell]] = []
        for name, line in lines.items():
            difference: Figure = line["difference"]
            show = points if "champion" in line else percent
            sides = [
                percent(line[side].value) if side in line and line[side].value is not None else "" for side in ("champion", "challenger")
            ]
            rows.append([name, count(difference.rows), *sides, interval(difference, show), status(difference)])
        head = ["rows", "number", verdict["champion"], "new model", "difference", "status"]
        note = "Negative flips are rows that were right before and are wrong now, as a share of all rows."
        tables.append(Table(f"Promotion: {task}", head, rows, note))
    return Section("promotion", "Promotion", lead, tables)
