"""Compare extractive summaries with the first sentences of a text, by ROUGE against human summaries.

    python -m benchmarks.bench_summaries                # all test rows of the news documents (source xsum)
    python -m benchmarks.bench_summaries --rows 100
    python -m benchmarks.bench_summaries --before ../earlier   # and an earlier version, in a git worktree

The constants of compactlm.inference.summarizing were chosen on validation rows. The figures are written to reports/summaries.json.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from tqdm import tqdm

from benchmarks.shared.versions import Version, add_before
from compactlm import artifacts
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Figure, write_figures
from compactlm.figures.numbers import plain, stated
from compactlm.params import read_params
from compactlm.text.sentences import split_sentences

REPORT = Path("reports/summaries.json")
MEASURES = ("rouge1", "rouge2", "rougeL")
FIRST = "first_sentences"


def documents(source: str) -> list[tuple[str, str]]:
    """Return the test rows of a source and their summaries; skip documents of fewer than four sentences."""
    rows = [row for row in artifacts.read_documents(artifacts.SPLIT / "test") if row.source == source and row.queries]
    return [(row.text, row.queries[0]) for row in sorted(rows, key=lambda row: row.id) if len(split_sentences(row.text)) > 3]


def measure(
    pairs: Sequence[tuple[str, str]], methods: dict[str, Callable[[str], str]], resampler: Resampler
) -> dict[str, dict[str, Figure]]:
    """Return the mean F1 of each measure for each method, and `MEASURE_gain`, its difference to the first sentences."""
    scorer = RougeScorer(list(MEASURES), use_stemmer=True)
    scores = {
        name: [scorer.score(summary, method(document)) for document, summary in tqdm(pairs, desc=name, unit="document")]
        for name, method in methods.items()
    }
    table: dict[str, dict[str, Figure]] = {}
    for name in methods:
        own, first = (np.array([[one[key].fmeasure for key in MEASURES] for one in scores[which]]).T for which in (name, FIRST))
        table[name] = {key: resampler.mean(values) for key, values in zip(MEASURES, own, strict=True)}
        if name != FIRST:
            table[name] |= {f"{key}_gain": resampler.mean(gain) for key, gain in zip(MEASURES, own - first, strict=True)}
    return table


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000, help="number of documents")
    parser.add_argument("--sentences", type=int, default=3)
    add_before(parser)
    options, params = parser.parse_args(), read_params()
    pairs = documents("xsum")[: options.rows]
    texts = [text for text, _ in pairs]
    versions = {"student": Version("bench-summaries", params.threads)}
    if options.before:
        versions["before"] = Version("bench-summaries", params.threads, options.before)
    methods: dict[str, Callable[[str], str]] = {FIRST: lambda text: " ".join(split_sentences(text)[: options.sentences])}
    for name, version in versions.items():
        summaries = version.run("summarize", artifacts.EXPORT, texts=texts, sentences=options.sentences)
        methods[name] = dict(zip(texts, summaries, strict=True)).__getitem__
    table = measure(pairs, methods, Resampler.of(params.bootstrap, params.seed))
    artifacts.write_json(REPORT, {"documents": len(pairs), "sentences": options.sentences, "methods": write_figures(table)})
    for name, scores in table.items():
        print(f"{name:16}", *(f"{key} {stated(figure, plain)}" for key, figure in scores.items()), sep="  ")


if __name__ == "__main__":
    main()
