"""A kind of task."""

from __future__ import annotations

from compactlm.tasks.base.answering import Answering
from compactlm.tasks.base.reading import Reading
from compactlm.tasks.base.training import Training


class Kind(Reading, Training, Answering):
    """A kind of task. It has no state; what differs between two tasks of a kind is in their Task.

    Its three parts say what it must provide.
    """

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that `measure` returns."""
        return self.main_metrics + self.further_metrics
