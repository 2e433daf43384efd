"""Compare rows that `compactlm pick` chooses with random rows: the accuracy that a classifier reaches with as many labels.

    python -m benchmarks.bench_picks                 # make bench-picks, 40 seeds
    python -m benchmarks.bench_picks --seeds 5

The classifier is a logistic regression over the student's sentence vectors, which were learnt without labels. Each round picks rows by the
classifier of the round before, as `compactlm pick` does with the model in use. There are two settings: the embedded task from a few random
rows, and product reviews for a classifier that has learnt from movie reviews. The figures are written to reports/benchmarks/picks.json,
which the report shows.
"""

import argparse
import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from benchmarks.loop.material import SCORED, Sample, read_sample
from benchmarks.shared import harness
from compactlm import CompactLM, artifacts
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Figure, write_figures
from compactlm.figures.numbers import count, interval, percent, points
from compactlm.improvement.describing import Described
from compactlm.improvement.picking.picking import Shares, pick
from compactlm.improvement.rows import Row

COMMAND = "bench-picks"
REPORT = Path("reports/benchmarks/picks")
RANDOM = "random"
WAYS = {RANDOM: Shares(1, 0), "margin": Shares(0, 0), "diversity": Shares(0, 1), "the default of pick": Shares()}
STRENGTH = 10.0  # C of the logistic regression, as in the figures of few labelled rows
TASK_SOURCE = "movie_reviews"
OLD_ROWS = 1000  # movie reviews that the classifier of the second setting has learnt from
NEW_TEST_ROWS = 1000  # product reviews that each seed holds out
SIZES = (50, 100, 200, 400, 800)
METHOD = (
    f"Logistic regression (C = {STRENGTH:g}) over the student's sentence vectors; each round picks by the classifier of the round before. "
    "The default of pick draws 30 % at random, for a test set, and takes 20 % for diversity; here the classifier learns from all of them."
)


@dataclasses.dataclass(frozen=True)
class Setting:
    """A learning curve.

    Attributes:
        sample: the candidates, and the test rows if `test` is a number.
        test: the test rows, or how many of the rows each seed draws for them.
        old: labelled rows from the start, or None.
        sizes: the numbers of labels at which the classifier is tested.
    """

    sample: Sample
    test: Sample | int
    old: Sample | None
    sizes: tuple[int, ...]

    def parts(self, seed: int) -> tuple[Sample, Sample]:
        """Return candidates and test rows."""
        if isinstance(self.test, Sample):
            return self.sample, self.test
        order = np.random.default_rng(seed).permutation(len(self.sample))
        return self.sample.take(order[self.test :]), self.sample.take(order[: self.test])


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40)
    return parser.parse_args()


def fit(old: Sample | None, sample: Sample, chosen: list[int]) -> LogisticRegression:
    """Return a classifier that has learnt from the old rows and the chosen ones."""
    vectors, labels = sample.described.vectors[chosen], sample.expected[chosen]
    if old is not None:
        vectors, labels = np.concatenate([old.described.vectors, vectors]), np.concatenate([old.expected, labels])
    return LogisticRegression(C=STRENGTH, max_iter=1000).fit(vectors, labels)


def curve(setting: Setting, shares: Shares, seed: int) -> list[float]:
    """Return the accuracy on the test rows at each size. All ways start with the same random rows, the first size of them."""
    sample, test = setting.parts(seed)
    start = 0 if setting.old else setting.sizes[0]
    chosen: list[int] = np.random.default_rng(seed).permutation(len(sample))[:start].tolist()
    found = []
    for size in setting.sizes:
        if size > len(chosen):
            chosen += picked(setting.old, sample, chosen, size - len(chosen), shares, seed)
        model = fit(setting.old, sample, chosen)
        found.append(float(model.score(test.described.vectors, test.expected)))
    return found


def picked(old: Sample | None, sample: Sample, chosen: list[int], number: int, shares: Shares, seed: int) -> list[int]:
    """Return the positions of further rows, picked by a classifier that has learnt from the chosen ones."""
    left = sorted(set(range(len(sample))).difference(chosen))
    vectors = sample.described.vectors
    probabilities = fit(old, sample, chosen).predict_proba(vectors[left])
    described = Described(vectors[left], sample.described.counts[left], probabilities, probabilities.argmax(axis=1))
    known = [vectors[chosen], *([] if old is None else [old.described.vectors])]
    rows = [Row(at + 1, sample.texts[at], {}) for at in left]
    return [left[one.at] for one in pick(rows, described, np.concatenate(known), number, shares, seed + len(chosen))]


def labels_needed(accuracies: np.ndarray, sizes: tuple[int, ...], target: float, resampler: Resampler) -> Figure | None:
    """Return the number of labels at which the mean curve reaches an accuracy, with its interval over seeds; None if it does not.

    Args:
        accuracies: float64 [seeds, sizes].
        sizes: numbers of labels.
        target: the accuracy to reach.
        resampler: the bootstrap of the seeds.
    """
    seeds = len(accuracies)
    drawn = np.random.default_rng(resampler.seed).multinomial(seeds, np.full(seeds, 1 / seeds), resampler.samples)
    means = np.concatenate([accuracies.mean(axis=0)[None], drawn @ accuracies / seeds])
    values = np.array([_crossing(mean, sizes, target) for mean in means])
    if not np.isfinite(values[0]):
        return None
    return resampler.figure(float(values[0]), values[1:], rows=seeds)


def _crossing(mean: np.ndarray, sizes: tuple[int, ...], target: float) -> float:
    """Return where a curve first reaches a target, interpolated in the logarithm of the number of labels; nan if it does not."""
    target -= 1e-9  # a curve reaches its own values, whatever the rounding
    if mean[0] >= target:
        return float(sizes[0])
    for (few, low), (many, high) in itertools.pairwise(zip(sizes, mean, strict=True)):
        if low < target <= high:
            part = (target - low) / (high - low)
            return float(np.exp(np.log(few) + part * (np.log(many) - np.log(few))))
    return float("nan")


def measure(setting: Setting, seeds: int, resampler: Resampler) -> dict[str, Any]:
    """Return the curves of all ways, their differences from random picks, and the labels that are needed."""
    runs = {
        way: np.array([curve(setting, shares, seed) for seed in tqdm(range(seeds), desc=way, unit="seed", leave=False)])
        for way, shares in WAYS.items()
    }

    def by_size(values: np.ndarray) -> dict[str, Figure]:
        return {str(size): resampler.mean(values[:, at]) for at, size in enumerate(setting.sizes)}

    targets = [float(runs[RANDOM][:, at].mean()) for at in (-2, -1)]
    needed = {target: {way: labels_needed(values, setting.sizes, target, resampler) for way, values in runs.items()} for target in targets}
    return {
        "test_rows": len(setting.parts(0)[1]),
        "sizes": list(setting.sizes),
        "accuracy": {way: by_size(values) for way, values in runs.items()},
        "difference": {way: by_size(values - runs[RANDOM]) for way, values in runs.items() if way != RANDOM},
        "needed": {f"{target:.4f}": {way: one for way, one in by_way.items() if one} for target, by_way in needed.items()},
    }


def tables(console: Any, name: str, measured: dict[str, Any]) -> list[str]:
    """Print the tables of a setting, and return them as sections in Markdown."""
    sizes = [str(size) for size in measured["sizes"]]
    curves = [[size, *(interval(measured["accuracy"][way][size], percent) for way in WAYS)] for size in sizes]
    others = [way for way in WAYS if way != RANDOM]
    differences = [[size, *(interval(measured["difference"][way][size], points) for way in others)] for size in sizes]
    needed = [[way, *(interval(by[way], count) if way in by else "not reached" for by in measured["needed"].values())] for way in WAYS]
    heads = [f"to reach {percent(float(target))}" for target in measured["needed"]]
    return [
        harness.show(console, f"{name}: accuracy", ["labels", *WAYS], curves, []),
        harness.show(console, f"{name}: difference from random picks", ["labels", *others], differences, []),
        harness.show(console, f"{name}: labels that are needed", ["picks", *heads], needed, ["picks"]),
    ]


def main() -> None:
    """Measure, print and write."""
    options, params = arguments(), harness.params_of(COMMAND)
    lm = CompactLM(artifacts.EXPORT, backend="onnx", threads=params.threads)
    train, test = (read_sample(lm, params, TASK_SOURCE, [split]) for split in ("train", "test"))
    new = read_sample(lm, params, "amazon_reviews", ["train", "validation", "test"])
    new = new.take(np.flatnonzero(new.expected >= 0))
    old = train.take(np.random.default_rng(params.seed).permutation(len(train))[:OLD_ROWS])
    settings = {
        "the embedded task": Setting(train, test, None, SIZES),
        f"{SCORED['amazon_reviews']} after movie reviews": Setting(new, NEW_TEST_ROWS, old, SIZES),
    }
    resampler = Resampler.of(params.bootstrap, params.seed)
    measured = {name: measure(setting, options.seeds, resampler) for name, setting in settings.items()}
    console = harness.new_console(160)
    sections = [section for name, one in measured.items() for section in tables(console, name, one)]
    method = f"{METHOD} {options.seeds} seeds; intervals are over the seeds."
    content = {"seeds": options.seeds, "method": METHOD, "order": list(WAYS), "settings": write_figures(measured)}
    harness.write_report(REPORT, ["# Picked rows", *sections, f"## How it was measured\n\n{method}"], content)


if __name__ == "__main__":
    main()
