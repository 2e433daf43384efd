"""The gates for data and models: all figures that have a limit, counted by status."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from compactlm.errors import CompactLMError
from compactlm.figures.figure import Figure, Status, find_figures
from compactlm.figures.numbers import interval, limited

NAMED = 5  # figures in the sentence that ends a stage
LEVELS = ("tasks", "attributes", "pairs")  # of the metrics' paths, which say nothing to a reader
ORDER = (Status.VIOLATED, Status.NOT_JUDGED, Status.UNDECIDED)  # the worst first


@dataclasses.dataclass(frozen=True)
class Gate:
    """The checks of a gate.

    Attributes:
        kind: `data` or `model`, as in bias_audit.gate of params.yaml.
        checks: the figures that have a limit, each with a description of what it measures.
    """

    kind: Literal["data", "model"]
    checks: list[tuple[str, Figure]]

    @classmethod
    def of(cls, kind: Literal["data", "model"], metrics: Mapping[str, Any]) -> Gate:
        """Return the gate of all figures in nested metrics, as measured or as read by `read_figures`."""
        listed = [(path, figure) for path, figure in find_figures(metrics) if figure.limit is not None]
        return cls(kind, [(", ".join(part.replace("_", " ") for part in path if part not in LEVELS), figure) for path, figure in listed])

    @property
    def status(self) -> Status:
        """The worst status of the checks; not judged without checks."""
        found = {figure.status for _, figure in self.checks}
        return next((status for status in ORDER if status in found), Status.OK if found else Status.NOT_JUDGED)

    def count(self, status: Status) -> int:
        """Return how many checks have a status."""
        return Counter(figure.status for _, figure in self.checks)[status]

    def metrics(self) -> dict[str, int]:
        """Return the number of checks, how many are violated, undecided and not judged, and the status."""
        counts = {status.name.lower(): self.count(status) for status in (Status.VIOLATED, Status.UNDECIDED, Status.NOT_JUDGED)}
        return {"checks": len(self.checks), **counts, "status": int(self.status)}

    def headline(self) -> str:
        """Summarise the gate in one line."""
        name = f"{self.kind.capitalize()} gate"
        if not self.checks:
            return f"{name}: not judged, because no task has a protected attribute."
        counts = ", ".join(f"{self.count(status)} {status.words}" for status in ORDER)
        return f"{name}: {self.status.words} ({counts}, of {len(self.checks)} checks)."

    def lines(self) -> list[str]:
        """Return the headline, and a sentence for each check that is not ok."""
        return [self.headline(), *self._sentences(ORDER)]

    def markdown(self) -> list[str]:
        """Return the same as lines of Markdown."""
        headline, *sentences = self.lines()
        return [headline, *(["", *(f"- {sentence}" for sentence in sentences)] if sentences else [])]

    def enforce(self, on_violation: Literal["warn", "fail"], report: str) -> None:
        """End the stage if a check is violated or not judged and `on_violation` is fail. Write the metrics before you call this.

        Undecided checks let the stage pass, and so does a gate without checks. `report` is the file with all figures, for the message.

        Raises:
            CompactLMError: a check is violated or not judged.
        """
        bad = self._sentences((Status.VIOLATED, Status.NOT_JUDGED))
        if on_violation == "warn" or not bad:
            return
        more = [f"and {len(bad) - NAMED} more"] if len(bad) > NAMED else []
        raise CompactLMError(
            f"{self.headline().rstrip('.')}: {'; '.join([*bad[:NAMED], *more])}; see {report}, fix the data, choose another "
            f"bias_audit.mitigation, loosen bias_audit.gate.{self.kind}, or set bias_audit.gate.on_violation to warn"
        )

    def _sentences(self, statuses: tuple[Status, ...]) -> list[str]:
        return [_sentence(words, figure) for status in statuses for words, figure in self.checks if figure.status is status]


def _sentence(words: str, figure: Figure) -> str:
    if not figure.judged:
        return f"{words}: not judged ({figure.reason})"
    return f"{words}: {interval(figure)} is {limited(figure)}"
