"""The figures of tasks of several kinds over seeds: means, and intervals of what the student keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.evaluation.paired import ROLES, Answers
from compactlm.figures.bootstrap import Resampler

NAMES = (*ROLES, "chance")
DRAWS = 20_000
FEWEST_POINTS = 0.05  # a teacher that is less above chance proves nothing
SMALL = 1_000  # test rows over all seeds below which a data set is called small


def measure(answers: Answers, resampler: Resampler) -> dict[str, Any]:
    """Return the task's metric of both models and by chance on the test rows of a seed, with the covariance of the three.

    The covariance is that of a paired bootstrap over rows.
    """
    kind, task, rows = answers.kind, answers.task, len(answers.rows)

    def figures(weights: Array) -> Array:
        measured = [answers.measure(role, weights)[task.metric] for role in ROLES]
        return np.stack([*measured, kind.chance(answers.rows, task, weights)], axis=1)

    values = figures(np.ones((1, rows)))[0]
    drawn = np.concatenate([figures(weights) for weights in resampler.draw(np.ones(rows))])
    finite = drawn[np.isfinite(drawn).all(axis=1)]
    return {
        "kind": kind.name,
        "metric": task.metric,
        "rows": rows,
        **{name: float(value) for name, value in zip(NAMES, values, strict=True)},
        "covariance": np.cov(finite, rowvar=False).tolist(),
    }


def pool(seeds: Sequence[Mapping[str, Any]], confidence: float, seed: int) -> dict[str, Any]:
    """Return the means of a task over seeds.

    The retentions are ratios of means. Their intervals are those of draws from a normal distribution with the means and their covariance;
    the test rows of the seeds count as independent.

    Args:
        seeds: the results of `measure`.
        confidence: the share of the draws that an interval holds.
        seed: the seed of the draws.
    """
    means = np.array([mean(one[name] for one in seeds) for name in NAMES])
    covariance = np.sum([one["covariance"] for one in seeds], axis=0) / len(seeds) ** 2
    drawn = np.random.default_rng(seed).multivariate_normal(means, covariance, DRAWS, method="svd")
    found: dict[str, Any] = {
        "kind": seeds[0]["kind"],
        "metric": seeds[0]["metric"],
        "seeds": len(seeds),
        "rows": round(mean(one["rows"] for one in seeds)),
        "small": int(sum(one["rows"] for one in seeds) < SMALL),
        **{name: float(value) for name, value in zip(NAMES, means, strict=True)},
        "proves_nothing": int(means[0] - means[2] < FEWEST_POINTS),
    }
    for name, ratio in (("retention", _retention), ("retention_above_chance", _above_chance)):
        values = ratio(drawn)
        low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
        found |= {name: float(ratio(means[None])[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
    int8 = [one["int8_loss"] for one in seeds if one.get("int8_loss") is not None]
    return {**found, **({"int8_loss": mean(int8)} if int8 else {})}


def _retention(figures: Array) -> Array:
    return figures[:, 1] / figures[:, 0]


def _above_chance(figures: Array) -> Array:
    return (figures[:, 1] - figures[:, 2]) / (figures[:, 0] - figures[:, 2])
