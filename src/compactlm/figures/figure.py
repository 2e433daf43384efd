"""A measured number: its value, its confidence interval, the rows behind it, its limit and its status."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Iterator, Mapping
from typing import Any, Self

MINIMUM_ROWS = 30  # a figure of fewer rows is not judged, where no parameter says otherwise
SLACK = 1e-12  # rounding of a bound that lies on its limit
NARROWEST = 1e-2  # share of an interval; no number of rows is given where less than this must be left of it
SPREAD = 2.0  # standard errors on each side of a number of rows, whose variance is the number itself
CLEAR = 1e-8  # distance from a limit at which an interval is beyond it; noise far above rounding never turns ok into violated


class Status(enum.IntEnum):
    """The status of a figure. Metric files hold its number."""

    OK = 0
    VIOLATED = 1
    UNDECIDED = 2
    NOT_JUDGED = 3

    @property
    def words(self) -> str:
        """The status as people read it."""
        return self.name.lower().replace("_", " ")


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """The acceptable values, including both ends. None leaves an end open."""

    low: float | None = None
    high: float | None = None

    def status(self, low: float, high: float) -> Status:
        """Compare an interval with the limit: ok if it is inside, violated if it is outside, and otherwise undecided."""
        least = -math.inf if self.low is None else self.low - SLACK
        greatest = math.inf if self.high is None else self.high + SLACK
        if least <= low and high <= greatest:
            return Status.OK
        return Status.VIOLATED if high < least - CLEAR or low > greatest + CLEAR else Status.UNDECIDED

    def __str__(self) -> str:
        """Return the limit as people read it."""
        if self.low is None:
            return f"at most {self.high:.3g}"
        return f"at least {self.low:.3g}" if self.high is None else f"{self.low:.3g} to {self.high:.3g}"


def _enough(rows: int, needed: int) -> Status:
    """Return OK if a number of rows is clearly at least `needed`, NOT_JUDGED if it is clearly less, and otherwise UNDECIDED."""
    if clearly_too_few(rows, needed):
        return Status.NOT_JUDGED
    return Status.OK if rows >= clearly_enough(needed) else Status.UNDECIDED


def clearly_too_few(rows: int, needed: int) -> bool:
    """Return whether a number of rows is clearly less than `needed`. If 30 are needed, 20 is clearly less, and 21 is not."""
    return rows + SPREAD * math.sqrt(rows) < needed


def clearly_enough(needed: int) -> int:
    """Return the smallest number of rows that is clearly at least `needed`: 44 if 30 are needed, and 0 for 0."""
    return math.ceil((SPREAD / 2 + math.sqrt(SPREAD**2 / 4 + needed)) ** 2) if needed else 0


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """A measured number.

    `measured` decides the status once, when the number is measured. Everything that prints the figure reads this status.

    Attributes:
        value: the number, or None if it could not be measured.
        low: the lower bound of the confidence interval, or None without one.
        high: the upper bound, or None without one.
        rows: the number of rows that the figure was measured on, or None.
        rows_needed: the smallest number of rows for which it is judged, or None.
        limit: the acceptable values, or None.
        status: ok, violated, undecided or not judged.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    rows: int | None = None
    rows_needed: int | None = None
    limit: Limit | None = None
    status: Status = Status.OK

    @classmethod
    def measured(
        cls,
        value: float | None,
        low: float | None = None,
        high: float | None = None,
        *,
        rows: int | None = None,
        rows_needed: int | None = None,
        limit: Limit | None = None,
    ) -> Self:
        """Return a figure whose status is decided by its interval.

        It is not judged if the value is not a finite number, if there are too few rows, or if it has a limit but no interval. The number of
        rows is random, too: another sample of texts has more or fewer. A figure with a limit is therefore undecided if `rows_needed` is
        within SPREAD standard errors of its number of rows. The standard error is the square root of the number, as for a Poisson
        distribution.
        """
        number, lower, upper = (None if bound is None or not math.isfinite(bound) else float(bound) for bound in (value, low, high))
        status = Status.OK
        if limit is not None:
            status = Status.NOT_JUDGED if lower is None or upper is None else limit.status(lower, upper)
            enough = _enough(rows or 0, rows_needed or 0)
            status = status if enough is Status.OK or status is Status.NOT_JUDGED else enough
        elif (rows or 0) < (rows_needed or 0):
            status = Status.NOT_JUDGED
        return cls(number, lower, upper, rows, rows_needed, limit, Status.NOT_JUDGED if number is None else status)

    @classmethod
    def over_rows(cls, value: float | None, rows: int) -> Self:
        """Return a figure without an interval, which is judged if it has at least MINIMUM_ROWS rows."""
        return cls.measured(value, rows=rows, rows_needed=MINIMUM_ROWS)

    @classmethod
    def not_measured(cls) -> Self:
        """Return the figure of something that cannot be measured, such as masked words for a model without the head for them."""
        return cls.measured(None, rows=0, rows_needed=MINIMUM_ROWS)

    def with_limit(self, limit: Limit) -> Self:
        """Return the same figure, judged by a limit."""
        return self.measured(self.value, self.low, self.high, rows=self.rows, rows_needed=self.rows_needed, limit=limit)

    @property
    def sign(self) -> int:
        """-1 or 1 if the figure is judged and its whole interval is below or above 0; otherwise 0."""
        if not self.judged or self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)

    @property
    def beyond(self) -> bool:
        """Whether the whole interval is outside the limit."""
        if self.limit is None or self.low is None or self.high is None:
            return False
        return self.limit.status(self.low, self.high) is Status.VIOLATED

    @property
    def enough_rows(self) -> bool:
        """Whether there are clearly enough rows."""
        return _enough(self.rows or 0, self.rows_needed or 0) is Status.OK

    @property
    def rows_to_decide(self) -> int | None:
        """The number of rows that decides the figure, if its value stays and its interval narrows with the square root of the rows.

        It is at least the number that is clearly enough. It is None if the figure is not undecided, if its value is on the limit, or if the
        bounds or the rows are unknown.
        """
        value, low, high, limit = self.value, self.low, self.high, self.limit
        if self.status is not Status.UNDECIDED or value is None or low is None or high is None or limit is None or not self.rows:
            return None
        gaps = [] if limit.low is None else [value - limit.low]
        gaps_above = [] if limit.high is None else [limit.high - value]
        sides = [(gap, value - low if gap >= 0 else high - value) for gap in gaps]
        sides += [(gap, high - value if gap >= 0 else value - low) for gap in gaps_above]
        left = min((abs(gap) / side for gap, side in sides if side > 0), default=0.0)  # the share that may be left of the interval
        return max(math.ceil(self.rows / min(left, 1.0) ** 2), clearly_enough(self.rows_needed or 0)) if left > NARROWEST else None

    @property
    def judged(self) -> bool:
        """Whether the figure could be judged."""
        return self.status is not Status.NOT_JUDGED

    @property
    def reason(self) -> str:
        """Why the figure is not judged."""
        if self.rows_needed is not None and (self.rows or 0) < self.rows_needed:
            return f"{self.rows or 0:,} rows; at least {self.rows_needed:,} are needed"
        return "it has no finite value" if self.value is None else "it has no confidence interval"

    def to_json(self) -> dict[str, float | int]:
        """Return the known numbers by name. `status` is always included."""
        numbers = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "rows": self.rows,
            "rows_needed": self.rows_needed,
            "limit_low": self.limit.low if self.limit else None,
            "limit_high": self.limit.high if self.limit else None,
            "status": int(self.status),
        }
        return {name: number for name, number in numbers.items() if number is not None}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote. The status is not decided again."""
        bounds = found.get("limit_low"), found.get("limit_high")
        limit = None if bounds == (None, None) else Limit(*bounds)
        numbers = {name: found.get(name) for name in ("value", "low", "high", "rows", "rows_needed")}
        return cls(**numbers, limit=limit, status=Status(found["status"]))


KEYS = {"value", "low", "high", "rows", "rows_needed", "limit_low", "limit_high", "status"}


def is_figure(found: object) -> bool:
    """Return whether a value read from JSON has the form of a figure."""
    return isinstance(found, Mapping) and "status" in found and found.keys() <= KEYS


def write_figures(metrics: Any) -> Any:
    """Return nested metrics as JSON. Figures become mappings, and numbers that are not finite are left out."""
    if isinstance(metrics, Figure):
        return metrics.to_json()
    if not isinstance(metrics, Mapping):
        return metrics
    kept = {key: value for key, value in metrics.items() if not (isinstance(value, float) and not math.isfinite(value))}
    return {key: write_figures(value) for key, value in kept.items()}


def read_figures(found: Any) -> Any:
    """Return nested metrics that `write_figures` wrote. Mappings become figures again."""
    if is_figure(found):
        return Figure.from_json(found)
    return {key: read_figures(value) for key, value in found.items()} if isinstance(found, Mapping) else found


def find_figures(metrics: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Figure]]:
    """Yield the path and the value of each figure in nested metrics."""
    for key, value in metrics.items():
        if isinstance(value, Figure):
            yield (*path, key), value
        elif isinstance(value, Mapping):
            yield from find_figures(value, (*path, key))
