"""Measure how often `compactlm watch` reports a change, with and without one, and how good its estimate of the accuracy is.

    python -m benchmarks.bench_drift                 # make bench-drift
    python -m benchmarks.bench_drift --repeats 20

The rows are those of the last run that no model was trained on: validation rows of the task are the reference, and test rows of the task
are new rows without a change. Product reviews, tweets and editorials are real changes, alone and mixed with test rows of the task. Every
repeat draws the reference rows and the new rows anew. The figures are written to reports/benchmarks/drift.json, which the report shows.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.loop.material import SCORED, Sample, joined, read_sample
from benchmarks.shared import harness
from compactlm import CompactLM, artifacts
from compactlm.figures.bootstrap import Resampler, share
from compactlm.figures.figure import Figure, write_figures
from compactlm.figures.numbers import percent, stated
from compactlm.improvement.drift.accuracy import estimate_accuracy
from compactlm.improvement.drift.testing import Pool, adjusted, draw_labelings
from compactlm.improvement.drift.watching import LEVEL

COMMAND = "bench-drift"
REPORT = Path("reports/benchmarks/drift")
TASK_SOURCE, UNCHANGED = "movie_reviews", "movie reviews (no change)"
SIZES = (50, 200, 1000)
MIXED = {"1 product review in 4": 0.25, "1 product review in 10": 0.1}  # shares of product reviews among test rows of the task
ESTIMATE_ROWS = 200
UNCHANGED_REPEATS = 4  # times as many draws without a change
PERMUTATIONS = 499


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=50, help="draws of each change and size")
    return parser.parse_args()


def is_reported(old: Sample, new: Sample, seed: int) -> bool:
    """Return whether a change is reported, as `compactlm watch` decides it."""
    pool = Pool.of(old.described, new.described, seed)
    null = pool.statistics(draw_labelings(len(pool.new), len(new), PERMUTATIONS, np.random.default_rng(seed)))
    return any(p[0] <= LEVEL for p in adjusted(pool.statistics(pool.new[None]), null).values())


def draw(sample: Sample, count: int, generator: np.random.Generator) -> Sample:
    """Return rows without repeats."""
    return sample.take(generator.permutation(len(sample))[:count])


def mixed(task: Sample, other: Sample, share_of_other: float, count: int, generator: np.random.Generator) -> Sample:
    """Mix rows of two sources; a given share of the result comes from the second."""
    own = round(count * share_of_other)
    return joined(draw(task, count - own, generator), draw(other, own, generator))


def measure_reported(reference: Sample, sources: dict[str, Sample], rows: int, repeats: int, seed: int) -> dict[str, dict[str, Figure]]:
    """Return how often a change is reported, by change and number of new rows."""
    found: dict[str, dict[str, Figure]] = {}
    for name in (UNCHANGED, *SCORED.values(), *MIXED):
        runs = repeats * (UNCHANGED_REPEATS if name == UNCHANGED else 1)
        for size in SIZES:
            hits = 0
            for repeat in tqdm(range(runs), desc=f"{name}, {size} rows", unit="draw", leave=False):
                generator = np.random.default_rng([seed, repeat, size])
                old = draw(reference, rows, generator)
                if name in MIXED:
                    new = mixed(sources[UNCHANGED], sources[SCORED["amazon_reviews"]], MIXED[name], size, generator)
                else:
                    new = draw(sources[name], size, generator)
                hits += is_reported(old, new, repeat)
            found.setdefault(name, {})[str(size)] = share(hits, runs)
    return found


def measure_estimates(reference: Sample, sources: dict[str, Sample], rows: int, repeats: int, resampler: Resampler) -> dict[str, Any]:
    """Return the mean estimate, the accuracy on all labelled rows, the mean size of the error, and how often the interval holds it."""
    found = {}
    for name, sample in sources.items():
        labelled, estimates, inside = sample.take(np.flatnonzero(sample.expected >= 0)), [], 0
        truth = labelled.accuracy
        for repeat in range(repeats):
            generator = np.random.default_rng([resampler.seed, repeat])
            old, new = draw(reference, rows, generator), draw(labelled, ESTIMATE_ROWS, generator)
            right = old.described.answers == old.expected
            estimated = estimate_accuracy(old.described.confidence, right, new.described.confidence, repeat, resamples=200).estimated
            estimates.append(estimated.value)
            inside += estimated.low <= truth <= estimated.high
        found[name] = {
            "estimated": resampler.mean(np.array(estimates)),
            "measured": share(int((labelled.described.answers == labelled.expected).sum()), len(labelled)),
            "error": resampler.mean(np.abs(np.array(estimates) - truth)),
            "inside": share(inside, repeats),
        }
    return found


def main() -> None:
    """Measure, print and write."""
    options, params = arguments(), harness.params_of(COMMAND)
    lm = CompactLM(artifacts.EXPORT, backend="onnx", threads=params.threads)
    reference = read_sample(lm, params, TASK_SOURCE, ["validation"])
    sources = {UNCHANGED: read_sample(lm, params, TASK_SOURCE, ["test"])}
    sources |= {name: read_sample(lm, params, source, ["validation", "test"]) for source, name in SCORED.items()}
    rows, resampler = params.export.reference_rows, Resampler.of(params.bootstrap, params.seed)
    reported = measure_reported(reference, sources, rows, options.repeats, params.seed)
    estimates = measure_estimates(reference, sources, rows, UNCHANGED_REPEATS * options.repeats, resampler)
    console = harness.new_console(140)
    shown = [[name, *(stated(one, percent) for one in by_size.values())] for name, by_size in reported.items()]
    first = harness.show(console, "How often a change is reported", ["new rows", *map(str, SIZES)], shown, ["new rows"])
    heads = ["new rows", "estimated", "measured", "mean error", "in the interval"]
    shown = [[name, *(stated(figure, percent) for figure in one.values())] for name, one in estimates.items()]
    second = harness.show(console, "Estimated and measured accuracy", heads, shown, ["new rows"])
    content = {
        "sizes": list(SIZES),
        "repeats": options.repeats,
        "reference_rows": rows,
        "level": LEVEL,
        "order": list(reported),
        "estimate_rows": ESTIMATE_ROWS,
        "reported": write_figures(reported),
        "accuracy": write_figures(estimates),
    }
    more = UNCHANGED_REPEATS * options.repeats
    method = (
        f"{rows} reference rows; {options.repeats} draws of each change and size, {more} without a change; level {LEVEL:g}. The estimates "
        f"rest on {ESTIMATE_ROWS} new rows and {more} draws. Seed {params.seed}."
    )
    harness.write_report(REPORT, ["# Changes of text", first, second, f"## How it was measured\n\n{method}"], content)


if __name__ == "__main__":
    main()
