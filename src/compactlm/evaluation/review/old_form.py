"""Read metrics of old revisions, in which figures had other forms. No other module knows these forms.

A figure was X with X_low and X_high next to it, or X.value with X.low and X.high. `judged` (or X_judged) was 0 if a figure was not judged,
and gate.figures listed the violated figures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from compactlm.figures.figure import Figure, Status

RENAMED = (  # old keys and the new ones
    (re.compile(r"^asked$"), "requested"),
    (re.compile(r"\.gate\.violations$"), ".gate.violated"),
    (re.compile(r"\.(\w+_to_\w+)\."), r".pairs.\1."),
    (re.compile(r"\.(accuracy\.\w+|preference|probability_change|beside_\w+)\.amplification$"), r".\1.difference"),
)
GONE = re.compile(r"(^|(?<!\.not)[._])judged$|_judged\.|(^|\.)gate\.(passed|figures\..*)$")


def read_old_form(metrics: Mapping[str, float]) -> dict[str, Figure]:
    """Return the figures by their new keys. A plain number is a figure without an interval."""
    found = {}
    for key, value in metrics.items():
        owner = re.sub(r"[._](low|high)$", "", key)
        if GONE.search(key) or (owner != key and (owner in metrics or f"{owner}.value" in metrics)):
            continue
        name = key.removesuffix(".value")
        separator = "_" if name == key else "."
        low, high = (metrics.get(f"{name}{separator}{bound}") for bound in ("low", "high"))
        found[_renamed(name)] = Figure(value, low, high, status=_status(name, metrics))
    return found


def _renamed(key: str) -> str:
    for pattern, new in RENAMED:
        key = pattern.sub(new, key)
    return key


def _status(name: str, metrics: Mapping[str, float]) -> Status:
    """Return the status, from the gate and from the mark of the figure or of the nearest group around it."""
    parts = name.split(".")
    marks = [f"{name}_judged", *(".".join([*parts[:length], "judged"]) for length in range(len(parts), -1, -1))]
    if next((metrics[mark] for mark in marks if mark in metrics), 1) == 0:
        return Status.NOT_JUDGED
    gate = re.sub(r"^(fairness)\.|^(\w+)\.attributes\.", r"\1\2.gate.figures.", name)
    return Status.VIOLATED if metrics.get(f"{gate}.violated") == 1 else Status.OK
