"""The output of `compactlm verify`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from compactlm.verification.comparing import DIFFERENT, ROUNDING, SAME, Comparison

ORDER = (SAME, ROUNDING, DIFFERENT)


def print_verification(found: Mapping[str, Sequence[Comparison]], revision: str, console: Console) -> int:
    """Print a row for each stage, the files that differ, and the verdict; return 1 if a file differs by more than rounding, else 0."""
    table = Table(title=f"The workspace against {revision}", title_justify="left")
    for column in ("stage", "files", *ORDER, "greatest difference, share of the bound", "verdict"):
        table.add_column(column, justify="left" if column in ("stage", "verdict") else "right")
    for stage, compared in found.items():
        counts = Counter(one.verdict for one in compared)
        rounded = [one.distance for one in compared if one.verdict == ROUNDING]
        cells = (str(counts[verdict]) for verdict in ORDER)
        table.add_row(stage, str(len(compared)), *cells, f"{max(rounded):.2g}" if rounded else "", _verdict(compared))
    console.print(table)
    for compared in found.values():
        for one in compared:
            if one.verdict == DIFFERENT:
                console.print(escape(f"{one.path} is different: {one.reason} ({one.distance:.3g} times the bound)"), soft_wrap=True)
    verdict = _verdict([one for compared in found.values() for one in compared])
    console.print(f"Verdict: {verdict}", soft_wrap=True)
    return int(verdict == DIFFERENT)


def _verdict(compared: Sequence[Comparison]) -> str:
    return max((one.verdict for one in compared), key=ORDER.index, default=SAME)
