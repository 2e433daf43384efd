"""How much of a task's metric the int8 file loses, for kinds of task other than classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.export.agreement import Comparison
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import MINIMUM_ROWS, Figure
from compactlm.tasks import kind_of
from compactlm.tasks.base import Example, Row, Task


def measure_metric(
    comparison: Comparison,
    examples: Sequence[Sequence[Example]],
    rows: Sequence[Row],
    task: Task,
    settings: Mapping[str, Any],
    resampler: Resampler,
) -> dict[str, Figure]:
    """Return the task's metric of the original and of int8, and the loss, the first minus the second.

    Args:
        comparison: a comparison with all outputs of each sequence (agreement.outputs_of).
        examples: the sequences of each row with their places, in the order of the comparison.
        rows: labelled rows.
        task: their task.
        settings: the model's config.json.
        resampler: for the interval of the loss.
    """
    kind, once = kind_of(task), np.ones((1, len(rows)))
    answers = [
        kind.answers(_by_row(found, examples), examples, rows, task, settings) for found in (comparison.original, comparison.quantized)
    ]

    def metric(weights: Array) -> list[Array]:
        return [kind.measure(one, rows, task, weights, settings)[task.metric] for one in answers]

    original, quantized = (float(value[0]) for value in metric(once))
    drawn = [metric(weights) for weights in resampler.draw(np.ones(len(rows)))]
    losses = np.concatenate([before - after for before, after in drawn])
    about = {"rows": len(rows), "rows_needed": MINIMUM_ROWS}
    return {
        "original_metric": Figure.over_rows(original, len(rows)),
        "int8_metric": Figure.over_rows(quantized, len(rows)),
        "metric_loss": resampler.figure(original - quantized, losses, **about),
    }


def check_metric_loss(loss: Figure, metric: str, allowed: float, path: Path) -> None:
    """Raise CompactLMError if the whole interval of the loss of int8 is above `allowed`."""
    if loss.judged and loss.low is not None and loss.low > allowed:
        raise CompactLMError(
            f"{path} loses {loss.value:.3f} of the {metric} (interval {loss.low:.3f} to {loss.high:.3f}), more than export.accuracy_loss "
            f"{allowed:g}; raise the limit if you accept the loss, or use the fp32 file"
        )


def _by_row(outputs: Sequence[Array], examples: Sequence[Sequence[Example]]) -> list[list[Array]]:
    given = iter(outputs)
    return [[next(given) for _ in parts] for parts in examples]
