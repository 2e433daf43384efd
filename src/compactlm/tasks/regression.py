"""A number for a text or a pair of texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from compactlm.tasks.base import Array, Row, RowKind, Settings, Target, Task
from compactlm.tasks.measures.ranking import divide, pearson, spearman

if TYPE_CHECKING:
    from torch import Tensor


class Regression(RowKind):
    """A score is a finite number. Answers are scores in the unit of the data, float64 [rows]."""

    name = "regression"
    problem_type = "regression"
    main_metrics = ("spearman", "pearson")
    further_metrics = ("mean_absolute_error",)
    lower_is_better = ("mean_absolute_error",)
    fields = ("score",)
    has_labels = False

    def names(self, task: Task) -> list[str]:
        """Return the name of the number."""
        return ["score"]

    def invalid(self, row: Row, task: Task) -> str | None:
        """See Kind.invalid."""
        return None if row.score is not None and math.isfinite(row.score) else f"the score {row.score} is not a finite number"

    def target(self, row: Row, task: Task) -> Target | None:
        """Return the score."""
        return None if row.score is None else [float(row.score)]

    def scale(self, targets: Sequence[Target | None]) -> tuple[float, float] | None:
        """Return the mean and the standard deviation of the scores; a deviation of 1 where all are equal."""
        scores = np.array([target[0] for target in targets if target is not None], dtype=np.float64)
        if not len(scores):
            return 0.0, 1.0
        deviation = float(scores.std())
        return float(scores.mean()), deviation if deviation > 1e-12 * max(1.0, float(np.abs(scores).max())) else 1.0

    def collate(self, targets: Sequence[Target | None], tokens: int) -> Array:
        """Return scores, float32 [rows]; nan for unlabelled rows."""
        return np.array([np.nan if target is None else target[0] for target in targets], dtype=np.float32)

    def hard_loss(
        self,
        logits: Tensor,
        batch: Mapping[str, Tensor],
        focal_gamma: float = 0.0,
        class_weights: Tensor | None = None,
    ) -> Tensor:
        """Return the squared error; see Kind.hard_loss."""
        from compactlm.tasks.measures.losses import squared_error

        return squared_error(logits, batch["labels"], batch.get("weights"))

    def soft_loss(self, logits: Tensor, batch: Mapping[str, Tensor], temperature: float) -> Tensor:
        """Return the squared difference from the teacher's score; see Kind.soft_loss."""
        from compactlm.tasks.measures.losses import squared_error

        return squared_error(logits, batch["teacher_logits"], batch.get("weights"))

    def activate(self, logits: Array) -> Array:
        """Return scores."""
        return logits.astype(np.float64)[:, 0]

    def measure(
        self,
        answers: Array,
        rows: Sequence[Row],
        task: Task,
        weights: Array,
        settings: Settings,
        bins: int = 15,
    ) -> dict[str, Array]:
        """See Kind.measure. The correlations have no value (nan) where all scores or all answers are equal."""
        expected = self._scores(rows)
        return {
            "spearman": spearman(expected, answers, weights),
            "pearson": pearson(expected, answers, weights),
            "mean_absolute_error": divide(weights @ np.abs(expected - answers), weights.sum(axis=1), np.nan),
        }

    def chance(self, rows: Sequence[Row], task: Task, weights: Array) -> Array:
        """Return 0: equal answers to all rows do not correlate with the scores."""
        return np.zeros(len(weights))

    def unchanged(self, answers: Sequence[Any], before: Sequence[Any], rows: Sequence[Row], task: Task) -> list[bool]:
        """Return whether the scores differ by at most half of the standard deviation of the rows' scores."""
        most = 0.5 * float(self._scores(rows).std()) if len(rows) else 0.0
        return [abs(float(one) - float(other)) <= most for one, other in zip(answers, before, strict=True)]

    def strata(self, row: Row, task: Task) -> str:
        """Return "" for every row; `split` itself makes quantiles of scores."""
        return ""

    def outcome(self, answers: Any, rows: Sequence[Row], task: Task, favourable: str | None) -> Array | None:
        """Return the scores."""
        return self._scores(rows) if answers is None else np.asarray(answers, np.float64)

    def show(self, answer: Any, task: Task, settings: Settings) -> str:
        """Return the score with three significant digits."""
        return f"{float(answer):.3g}"

    def to_json(self, answer: Any, task: Task, settings: Settings) -> Any:
        """Return the score."""
        return {"score": float(answer)}

    def expected(self, row: Row, task: Task) -> str:
        """Return the score of the row."""
        return f"{row.score:g}"

    def _scores(self, rows: Sequence[Row]) -> Array:
        return np.array([row.score for row in rows], dtype=np.float64)
