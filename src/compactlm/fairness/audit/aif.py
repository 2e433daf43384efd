"""aif360, imported without its warnings. No other module imports it."""

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
    frame = pd.DataFrame({GROUP: privileged, LABEL: favorable, WEIGHT: weights}, dtype=float)
    return BinaryLabelDataset(
        df=frame,
        label_names=[LABEL],
        protected_attribute_names=[GROUP],
        instance_weights_name=WEIGHT,
        favorable_label=1.0,
        unfavorable_label=0.0,
    )


def compute_figures(
    figures: Sequence[str],
    privileged: Sequence[bool],
    favorable: Sequence[bool],
    weights: Sequence[float] | None = None,
    predicted: Sequence[bool] | None = None,
) -> dict[str, float]:
    """Return fairness figures of the rows of two groups, by the name of aif360's method; nan where there are no rows.

    Args:
        figures: the names.
        privileged: whether each row belongs to the privileged group; all others belong to the other group.
        favorable: whether each row has the favourable label.
        weights: the weights of the rows; None means 1 for each row.
        predicted: whether the favourable label is predicted for each row; None compares the labels themselves.
    """
    if not len(privileged):
        return dict.fromkeys(figures, float("nan"))
    dataset = make_dataset(privileged, favorable, [1.0] * len(privileged) if weights is None else weights)
    groups = {"unprivileged_groups": UNPRIVILEGED, "privileged_groups": PRIVILEGED}
    if predicted is None:
        metric = BinaryLabelDatasetMetric(dataset, **groups)
    else:
        classified = dataset.copy(deepcopy=True)
        classified.labels = np.asarray(predicted, dtype=np.float64).reshape(-1, 1)
        metric = ClassificationMetric(dataset, classified, **groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: float(getattr(metric, name)()) for name in figures}


def reweigh(dataset: Any) -> list[float]:
    """Return the example weights of aif360's Reweighing for a data set from `make_dataset`."""
    reweighed = Reweighing(unprivileged_groups=UNPRIVILEGED, privileged_groups=PRIVILEGED).fit_transform(dataset)
    return [float(weight) for weight in reweighed.instance_weights]
