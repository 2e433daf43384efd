"""aif360, imported quietly: the only module that touches it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

GROUP = "group"  # 1 for the privileged group, 0 for the unprivileged
LABEL = "label"  # 1 for the favourable label, 0 for all others
WEIGHT = "weight"
PRIVILEGED = [{GROUP: 1}]
UNPRIVILEGED = [{GROUP: 0}]


@contextlib.contextmanager
def _without_hints_of_missing_extras() -> Iterator[None]:
    # At import, aif360 logs which optional algorithms are not installed, on the root logger. The first such call also adds a handler to the
    # root logger, so that the warnings of all other libraries would appear twice.
    root = logging.getLogger()
    handlers = list(root.handlers)

    def needed(record: logging.LogRecord) -> bool:
        return "will be unavailable. To install, run" not in record.getMessage()

    root.addFilter(needed)
    try:
        yield
    finally:
        root.removeFilter(needed)
        root.handlers[:] = handlers


with _without_hints_of_missing_extras():
    from aif360.algorithms.preprocessing import Reweighing
    from aif360.datasets import BinaryLabelDataset
    from aif360.metrics import BinaryLabelDatasetMetric, ClassificationMetric


def make_dataset(privileged: Sequence[bool], favorable: Sequence[bool], weights: Sequence[float]) -> Any:
    """Return a BinaryLabelDataset. aif360 accepts numbers only, so groups and labels become 0.0 and 1.0."""
    frame = pd.DataFrame(
        {GROUP: [float(value) for value in privileged], LABEL: [float(value) for value in favorable], WEIGHT: list(weights)}
    )
    return BinaryLabelDataset(
        df=frame,
        label_names=[LABEL],
        protected_attribute_names=[GROUP],
        instance_weights_name=WEIGHT,
        favorable_label=1.0,
        unfavorable_label=0.0,
    )


def make_metric(dataset: Any) -> Any:
    """Return aif360's metrics of a data set from `make_dataset`."""
    return BinaryLabelDatasetMetric(dataset, unprivileged_groups=UNPRIVILEGED, privileged_groups=PRIVILEGED)


def make_classification_metric(dataset: Any, predicted: Sequence[bool]) -> Any:
    """Return aif360's metrics of predictions (True: favourable) against a data set from `make_dataset`."""
    classified = dataset.copy(deepcopy=True)
    classified.labels = np.asarray(predicted, dtype=np.float64).reshape(-1, 1)
    return ClassificationMetric(dataset, classified, unprivileged_groups=UNPRIVILEGED, privileged_groups=PRIVILEGED)


def reweigh(dataset: Any) -> list[float]:
    """Return the example weights of aif360's Reweighing for a data set from `make_dataset`."""
    reweighed = Reweighing(unprivileged_groups=UNPRIVILEGED, privileged_groups=PRIVILEGED).fit_transform(dataset)
    return [float(weight) for weight in reweighed.instance_weights]
