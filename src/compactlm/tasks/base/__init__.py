"""The contract of a kind of task: what it reads, how a row becomes token ids and targets, its losses, answers and metrics.

A new kind is a subclass of Kind in a module of its own and a line in compactlm.tasks.KINDS. Nothing here imports torch, scipy or
scikit-learn at the top of a module, because the finished model uses the same code.
"""

from compactlm.tasks.base.examples import IGNORED, NOWHERE, UNLABELLED, Array, Example, Finished, Segmenter, Settings, Target
from compactlm.tasks.base.kind import Kind
from compactlm.tasks.base.row_kind import RowKind
from compactlm.tasks.base.rows import AnyRow, Input, Row, Targets, Task, TaskOfModel

__all__ = [
    "IGNORED",
    "NOWHERE",
    "UNLABELLED",
    "AnyRow",
    "Array",
    "Example",
    "Finished",
    "Input",
    "Kind",
    "Row",
    "RowKind",
    "Segmenter",
    "Settings",
    "Target",
    "Targets",
    "Task",
    "TaskOfModel",
]
