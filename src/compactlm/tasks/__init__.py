"""The kinds of task. A new kind is a module with a subclass of Kind and a line in KINDS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compactlm.errors import CompactLMError
from compactlm.tasks.base import Kind, Task, TaskOfModel
from compactlm.tasks.classification import Classification
from compactlm.tasks.multilabel import Multilabel
from compactlm.tasks.regression import Regression
from compactlm.tasks.span import SpanExtraction
from compactlm.tasks.tagging import Tagging

KINDS: dict[str, Kind] = {kind.name: kind for kind in (Classification(), Multilabel(), Regression(), Tagging(), SpanExtraction())}


def kind_of(task: Task) -> Kind:
    """Return the kind of a task."""
    return KINDS[task.kind]


def task_of_config(config: Mapping[str, Any]) -> TaskOfModel:
    """Return the task of a finished model.

    Args:
        config: its config.json. Its kind follows from `architectures` and `problem_type` of transformers; a model for sequences without a
            problem_type classifies, and one with a single label and none gives a number.

    Raises:
        CompactLMError: no kind of task has such a model.
    """
    architecture = next(iter(config.get("architectures") or ["BertForSequenceClassification"]))
    names = config.get("id2label") or {0: "LABEL_0", 1: "LABEL_1"}
    labels = tuple(str(names[key]) for key in sorted(names, key=int))
    problem = config.get("problem_type") or ("regression" if len(labels) == 1 else "single_label_classification")
    for kind in KINDS.values():
        if kind.architecture == architecture and kind.problem_type in (None, problem):
            return TaskOfModel(
                kind.name,
                labels,
                kind.metric_of_model(labels),
                pair=bool(config.get("reads_pairs")),
                maximum_length=config.get("maximum_length"),
                stride=config.get("stride"),
            )
    raise CompactLMError(
        f"a model of the architecture {architecture} with the problem type {problem} is of no kind of task ({', '.join(KINDS)}); export it "
        "again with this version"
    )
