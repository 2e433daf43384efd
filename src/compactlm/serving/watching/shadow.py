"""A second model that answers the same requests. Its answers are compared and counted, but never sent."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compactlm.errors import CompactLMError
from compactlm.inference.api import CompactLM
from compactlm.inference.runtime import directories
from compactlm.inference.runtime.model import Model
from compactlm.inference.tasks.classifying import Classification, classify, labels_texts
from compactlm.serving.metrics import Metrics
from compactlm.serving.settings import Settings
from compactlm.tasks.base import Input

MOST_WAITING = 1_000  # texts; more are not compared, so that a slow model uses neither memory without bound nor the time of requests
log = logging.getLogger("compactlm.serving")


class Shadow:
    """The tasks of a directory of models. They run on one thread, after the answers of /predict.

    Attributes:
        tasks: the model of each task that both directories have.
    """

    def __init__(self, directory: Path, settings: Settings, served: Mapping[str, Model], metrics: Metrics) -> None:
        """Find the models.

        Raises:
            CompactLMError: the directory has no usable model, no task of the served model, or a task with other labels.
        """
        lm = CompactLM(directory, backend=settings.backend, threads=1)
        self.tasks = {name: lm.task(name) for name in directories.tasks(directory) if name in served and labels_texts(served[name])}
        if not self.tasks:
            raise CompactLMError(
                f"{directory} has no task of the served model ({', '.join(served) or 'none'}); pass a directory such as models/export with "
                "--shadow"
            )
        for name, model in self.tasks.items():
            if set(model.directory.labels) != set(served[name].directory.labels):
                raise CompactLMError(f"the task {name} of {directory} has other labels than the served model; pass another --shadow")
        self._metrics, self._lock, self._waiting = metrics, threading.Lock(), 0
        self._counts: dict[str, Counter[bool]] = {name: Counter() for name in self.tasks}
        self._pool = ThreadPoolExecutor(1, "shadow")

    @classmethod
    def of(cls, settings: Settings, served: Mapping[str, Model], metrics: Metrics) -> Shadow | None:
        """Return the shadow that the settings enable, or None."""
        return None if settings.shadow is None else cls(settings.shadow, settings, served, metrics)

    def load(self) -> None:
        """Load all weights.

        Raises:
            CompactLMError: a model is damaged.
        """
        for model in self.tasks.values():
            _ = model.runner

    def compare(self, task: str, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Answer texts later, and count how often the label differs. Texts beyond MOST_WAITING are counted as skipped."""
        if task not in self.tasks:
            return
        with self._lock:
            waits = self._waiting + len(texts) <= MOST_WAITING
            self._waiting += len(texts) if waits else 0
        if not waits:
            self._metrics.shadow_skipped.labels(task, "busy").inc(len(texts))
            return
        self._pool.submit(self._compare, task, list(texts), list(labels))

    def _compare(self, task: str, texts: list[str], labels: list[str]) -> None:
        started = time.perf_counter()
        try:
            answers = classify(self.tasks[task], map(Input, texts), rows_at_once=max(2, len(texts)))
            found = [one.label for one in answers if isinstance(one, Classification)]
        except Exception as error:  # noqa: BLE001 - a failure of the shadow must not reach a request
            log.warning("the shadow failed on a request for %s (%s)", task, type(error).__name__)
            self._metrics.shadow_skipped.labels(task, "failed").inc(len(texts))
        else:
            seconds = time.perf_counter() - started
            for label, other in zip(labels, found, strict=True):
                self._metrics.shadow_answers.labels(task, label, other).inc()
                self._counts[task][label == other] += 1
            counts = self._counts[task]
            self._metrics.shadow_agreement.labels(task).set(counts[True] / counts.total())
            # Observed last, so that a reader of /metrics who sees the count of a request also sees its answers.
            self._metrics.shadow_seconds.labels(task).observe(seconds)
        finally:
            with self._lock:
                self._waiting -= len(texts)

    def close(self) -> None:
        """Stop the thread. Waiting texts are not compared."""
        self._pool.shutdown(wait=False, cancel_futures=True)
