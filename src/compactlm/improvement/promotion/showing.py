"""Write a verdict: a table for the terminal or in Markdown, sentences, the message of a tag, and files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from compactlm import artifacts
from compactlm.figures.figure import Figure, Status, write_figures
from compactlm.figures.numbers import count, interval, percent, points, status
from compactlm.improvement.promotion.comparing import FLIPS, Line
from compactlm.improvement.promotion.promoting import Verdict
from compactlm.improvement.registry import Version

COLUMNS = ("task", "rows", "number", "champion", "challenger", "difference", "limit", "status")
SHOWN_FLIPS = 10
STYLES = {Status.VIOLATED: "red", Status.UNDECIDED: "yellow"}


def cells(line: Line) -> list[str]:
    """Return the cells of a line, as COLUMNS name them."""
    figure = line.figure
    show = percent if line.name == FLIPS else points
    limit = figure.limit
    bound = "" if limit is None else f"at least {points(limit.low)}" if limit.low is not None else f"at most {percent(limit.high)}"
    return [
        line.task,
        line.name,
        count(figure.rows),
        _accuracy(line.champion),
        _accuracy(line.challenger),
        "" if figure.value is None else interval(figure, show),
        bound,
        f"undecided, fewer than {line.decides:,} rows" if _undecided_part(line) else status(figure),
    ]


def _undecided_part(line: Line) -> bool:
    """Return whether a line is undecided but has too few rows to refuse the promotion."""
    return line.figure.status is Status.UNDECIDED and line.refuses is None


def _accuracy(figure: Figure | None) -> str:
    return "" if figure is None or figure.value is None else percent(figure.value)


def table(verdict: Verdict) -> Table:
    """Return the table for a terminal. Lines that refuse the promotion are coloured."""
    found = Table(title=f"The new model against {verdict.champion.tag}", title_justify="left")
    for column in COLUMNS:
        found.add_column(column, justify="left" if column in ("task", "rows", "limit", "status") else "right")
    for line in verdict.lines:
        found.add_row(*cells(line), style=STYLES.get(line.refuses) if line.refuses else None)
    return found


def markdown(verdict: Verdict) -> str:
    """Return the table and the sentences in Markdown, for a comment on a change."""
    rows = [COLUMNS, ["---"] * len(COLUMNS), *map(cells, verdict.lines)]
    lines = [f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows]
    return "\n".join([f"### The new model against {verdict.champion.tag}", "", *lines, "", *sentences(verdict)])


def sentences(verdict: Verdict) -> Iterator[str]:
    """Yield sentences about what the table does not show: left-out rows, and the reasons of a refusal."""
    for task, rows in verdict.rows.items():
        if rows.seen:
            yield f"{task}: {rows.seen:,} test rows are left out because one of the two models has learnt from their text."
        if rows.removed:
            yield f"{task}: {rows.removed:,} old test rows are left out because a person has asked to remove them."
    for line in verdict.refusing:
        if line.refuses is Status.VIOLATED:
            yield f"Refused by {line.task}, {line.name}: {cells(line)[5]}, and the limit is {cells(line)[6]}."
        else:
            yield f"Refused by {line.task}, {line.name}: undecided, {_why(line)}; label more test rows."
    if not verdict.refusing:
        yield "No line refuses the promotion."
        if few := [line.name for line in verdict.lines if _undecided_part(line)]:
            yield f"Undecided, and with too few rows to refuse: {', '.join(few)}."


def _why(line: Line) -> str:
    """Return the reason why a line is undecided."""
    figure = line.figure
    if not figure.judged:
        return figure.reason
    if not figure.enough_rows:
        return f"{count(figure.rows)} rows are too near {count(figure.rows_needed)}, the fewest that are needed"
    return f"{cells(line)[5]} does not decide {cells(line)[6]}"


def flips(verdict: Verdict) -> Iterator[dict[str, str]]:
    """Yield the rows that were right and are wrong now: task, id, source, text, label, and the answers of both."""
    for task, answered in verdict.answered.items():
        for row in answered.flips:
            one = answered.rows[row]
            answers = {"champion": answered.champion[row], "challenger": answered.challenger[row]}
            yield {"task": task, "id": one.id, "source": one.source, "text": one.text, "label": str(one.label), **answers}


def to_json(verdict: Verdict) -> dict[str, Any]:
    """Return the table as nested figures, without texts."""
    tasks: dict[str, dict[str, Any]] = {}
    for line in verdict.lines:
        sides = {"champion": line.champion, "challenger": line.challenger, "difference": line.figure}
        tasks.setdefault(line.task, {})[line.name] = {name: figure for name, figure in sides.items() if figure is not None}
    refused = [f"{line.task}, {line.name}" for line in verdict.refusing]
    return {"champion": verdict.champion.name, "status": verdict.status, "refused_by": refused, "tasks": write_figures(tasks)}


def message(verdict: Verdict | None, facts: Mapping[str, Any]) -> str:
    """Return the message of a version's tag: sentences for people, then one line of JSON."""
    head = ["First version, without a comparison"] if verdict is None else [f"Promoted over {verdict.champion.name}", ""]
    lines = (
        [] if verdict is None else [": ".join([f"{line.task}, {line.name}", cells(line)[5]]) for line in verdict.lines if cells(line)[5]]
    )
    return "\n".join([*head, *lines, "", json.dumps({"verdict": verdict and to_json(verdict), **facts}, sort_keys=True)])


def write(verdict: Verdict, directory: Path) -> None:
    """Write verdict.json and negative_flips.jsonl (with texts) to a directory."""
    artifacts.write_json(directory / "verdict.json", to_json(verdict))
    artifacts.write_text(directory / "negative_flips.jsonl", "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in flips(verdict)))


def consequence(version: Version, before: Version, stage: str, tag: str) -> Iterator[str]:
    """Yield the consequences of a rollback."""
    yield f"{version.tag} holds the stage {stage} again (tag {tag}). No file and no commit has changed."
    yield (
        f"Whoever runs `dvc artifacts get URL compactlm --stage {stage}` gets {version.name} once the tag is pushed (`git push origin "
        f"'{tag}'`); copies of {before.name} that were downloaded stay as they are until then."
    )
    yield f"To have {version.name} in this directory, run `git checkout {version.tag} && dvc checkout`."
