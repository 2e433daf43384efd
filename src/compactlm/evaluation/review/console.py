"""The output of `compactlm review`: DVC's diff of metrics against a revision, judged, and the verdict in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.evaluation.review.changes import BETTER, INFORMATION, LOST, NEW, NO_LONGER, UNJUDGED, WITHIN, WORSE, Change, Review, review
from compactlm.figures.figure import Figure
from compactlm.figures.numbers import compact, count

EVALUATE = (artifacts.METRICS / "evaluate.json").as_posix()
ORDER = (WORSE, NO_LONGER, LOST, BETTER, NEW, UNJUDGED, WITHIN, INFORMATION)
STYLES = {WORSE: "red", NO_LONGER: "red", LOST: "red", BETTER: "green"}


def metrics_diff(revision: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the output of `dvc metrics diff` for the workspace against a git revision, with unchanged figures.

    Raises:
        CompactLMError: there is no such revision, or one of the two has no reports/metrics/evaluate.json.
    """
    known = subprocess.run(["git", "rev-parse", "--quiet", "--verify", f"{revision}^{{commit}}"], capture_output=True, check=False)
    if known.returncode != 0:
        raise CompactLMError(
            f"the git revision {revision!r} does not exist; name a branch, a tag or a commit, as in `make review REV=main`"
        )
    command = [sys.executable, "-m", "dvc", "metrics", "diff", "--all", "--json", revision]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise CompactLMError(f"`dvc metrics diff {revision}` failed ({last[:200]}); fix that and run the command again")
    diff: dict[str, dict[str, dict[str, Any]]] = json.loads(done.stdout or "{}")
    for side, where in (("old", f"revision {revision}"), ("new", "workspace")):
        if not any(figure[side] is not None for figure in diff.get(EVALUATE, {}).values()):
            raise CompactLMError(f"the {where} has no {EVALUATE} to compare; run `make train` there, and commit reports/")
    return diff


def verdict(found: Review, revision: str) -> str:
    """Return the verdict line."""
    counts = {name: found.count(name) for name in (BETTER, WORSE, NO_LONGER, LOST, WITHIN, UNJUDGED)}
    counted = ", ".join(f"{count} {name}" for name, count in counts.items() if count or name in (BETTER, WORSE, WITHIN))
    if found.worse:
        return f"Verdict: worse than {revision} ({counted})"
    return f"Verdict: {'better' if counts[BETTER] else 'no worse'} than {revision} ({counted})"


def exit_status(found: Review) -> int:
    """Return 0 if nothing is worse, 1 if a figure is worse or no longer judged, and 2 if no figure could be compared."""
    if found.worse:
        return 1
    return 0 if found.comparable else 2


def print_review(found: Review, revision: str, console: Console) -> None:
    """Print the deciding figures, all other figures that are better or worse or whose status has changed, and the verdict."""
    table = Table(title=f"The workspace against {revision}", title_justify="left")
    for column in _columns(revision):
        table.add_column(column, justify="left" if column in ("figure", "verdict") else "right")
    for change in _shown(found):
        table.add_row(*_cells(change), style=STYLES.get(change.verdict) if change.decides else "dim")
    console.print(table)
    for sentence in _sentences(found, revision):
        console.print(sentence, soft_wrap=True)
    console.print(verdict(found, revision), soft_wrap=True)


def markdown(found: Review, revision: str) -> str:
    """Return the output of `print_review` in Markdown, without figures that are within the interval."""
    rows = [_columns(revision), ["---", "--:", "--:", "--:", "--:", "---"]]
    rows += [_cells(change) for change in _shown(found) if change.verdict not in (WITHIN, INFORMATION)]
    table = [f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows]
    return "\n".join([f"### {verdict(found, revision)}", "", *(table if len(rows) > 2 else []), "", *_sentences(found, revision)])


def _columns(revision: str) -> list[str]:
    return ["figure", revision, "workspace", "change", "margin", "verdict"]


def _shown(found: Review) -> list[Change]:
    ordered = sorted(found.changes, key=lambda one: (ORDER.index(one.verdict), not one.decides, one.file, one.key))
    return [change for change in ordered if change.decides or change.verdict in (BETTER, WORSE) or _statuses(change)]


def _sentences(found: Review, revision: str) -> Iterator[str]:
    others = sum(_value(change.old) != _value(change.new) for change in found.changes if not change.decides)
    yield f"{others} other figures differ and do not decide; `dvc metrics diff {revision}` lists them."
    for key, (old, new) in found.rows_differ.items():
        yield f"The rows differ: {key} is {count(old)} in {revision} and {count(new)} here, so the figures rest on different rows."
    gone = found.count(NO_LONGER) + found.count(LOST)
    if gone:
        yield f"Figures that {revision} judges and the workspace does not: {gone}. They count as worse."


def _cells(change: Change) -> list[str]:
    difference = "" if change.difference is None else f"{change.difference:+.4g}"
    margin = "" if change.margin is None else f"{change.margin:.4g}"
    stage = change.file.rpartition("/")[2].removesuffix(".json")
    verdict = change.verdict + _statuses(change) + ("" if change.decides or change.verdict == INFORMATION else " (does not decide)")
    return [f"{stage}: {change.key}", _number(change.old), _number(change.new), difference, margin, verdict]


def _statuses(change: Change) -> str:
    """Describe how the status has changed; "" if it has not."""
    if change.old is None or change.new is None or change.old.status is change.new.status:
        return ""
    return f", {change.old.status.words} to {change.new.status.words}"


def _value(figure: Figure | None) -> float | None:
    return None if figure is None else figure.value


def _number(figure: Figure | None) -> str:
    value = _value(figure)
    return "" if value is None else compact(value)


def judge(diff: Mapping[str, Mapping[str, Mapping[str, Any]]], revision: str, console: Console, *, in_markdown: bool = False) -> int:
    """Print the review of a diff, for a terminal or in Markdown, and return the exit status."""
    found = review(diff)
    if in_markdown:
        console.print(markdown(found, revision), soft_wrap=True, markup=False, highlight=False)
    else:
        print_review(found, revision, console)
    return exit_status(found)
