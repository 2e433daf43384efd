"""After a task's model is trained: choose its thresholds, and measure it on validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from transformers import BertPreTrainedModel

from compactlm.bert.folding import fold_thresholds
from compactlm.bert.task_models import run_rows
from compactlm.figures.figure import Figure
from compactlm.tasks import kind_of
from compactlm.tasks.base import Finished, Row, Segmenter, Task


def finish(
    model: BertPreTrainedModel,
    segmenter: Segmenter,
    rows: Sequence[Row],
    task: Task,
    maximum_length: int,
    batch_tokens: int,
    description: str,
    *,
    teacher: bool = False,
) -> dict[str, Any]:
    """Choose a trained model's thresholds on labelled validation rows, and measure the model on the same rows.

    Thresholds are folded into the head; other settings go into the model's config. Some kinds do not change a teacher.

    Returns:
        The task's metric, and the numbers that the kind reports.
    """
    kind = kind_of(task)
    examples = kind.encode(segmenter, rows, task, maximum_length, places=True)
    logits = run_rows(model, examples, batch_tokens, description)
    finished = Finished() if teacher and not kind.finishes_teacher else kind.finish(logits, examples, rows, task)
    settings: dict[str, Any] = {**model.config.to_dict(), **finished.config}
    answers = kind.answers(logits, examples, rows, task, settings)
    measured = kind.measure(answers, rows, task, np.ones((1, len(rows))), settings) if rows else {}
    value = float(measured[task.metric][0]) if rows else None
    if finished.thresholds is not None:
        fold_thresholds(model, finished.thresholds)
    model.config.update(dict(finished.config))
    return {task.metric: Figure.over_rows(value, len(rows)), **finished.metrics}
