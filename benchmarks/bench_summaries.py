"""Compare extractive summaries with the first sentences of a text, by ROUGE against human summaries.

    python -m benchmarks.bench_summaries                # all test rows of the news documents (source xsum)
    python -m benchmarks.bench_summaries --rows 100
    python -m benchmarks.bench_summaries --before ../earlier   # and an earlier version, in a git worktree

The constants of compactlm.inference.summarizing were chosen on validation rows. The figures are written to reports/summaries.json.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rouge_score.rouge_scorer import RougeScorer
from rouge_score.scoring import BootstrapAggregator
from tqdm import tqdm

from benchmarks.shared.versions import Version, add_before
from compactlm import artifacts
from compactlm.params import read_params
from compactlm.text.sentences import split_sentences

REPORT = Path("reports/summaries.json")
MEASURES = ("rouge1", "rouge2", "rougeL")


def documents(source: str) -> list[tuple[str, str]]:
    """Return the test rows of a source and their summaries; skip documents of fewer than four sentences."""
    rows = [row for row in artifacts.read_documents(artifacts.SPLIT / "test") if row.source == source and row.queries]
    return [(row.text, row.queries[0]) for row in sorted(rows, key=lambda row: row.id) if len(split_sentences(row.text)) > 3]


def measure(pairs: Sequence[tuple[str, str]], methods: dict[str, Callable[[str], str]]) -> dict[str, dict[str, float]]:
    """Return the F1 of each measure and its 95 % confidence interval (bootstrap over documents) for each method."""
    scorer = RougeScorer(list(MEASURES), use_stemmer=True)
    found = {name: BootstrapAggregator() for name in methods}
    for document, summary in tqdm(pairs, desc="summaries", unit="document"):
        for name, method in methods.items():
            found[name].add_scores(scorer.score(summary, method(document)))
    table: dict[str, dict[str, float]] = {}
    for name, aggregator in found.items():
        scores: dict[str, Any] = aggregator.aggregate()
        table[name] = {
            f"{measure}{end}": round(getattr(scores[measure], bound).fmeasure, 4)
            for measure in MEASURES
            for end, bound in (("", "mid"), ("_low", "low"), ("_high", "high"))
        }
    return table


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000, help="number of documents")
    parser.add_argument("--sentences", type=int, default=3)
    add_before(parser)
    options, threads = parser.parse_args(), read_params().threads
    pairs = documents("xsum")[: options.rows]
    texts = [text for text, _ in pairs]
    versions = {"student": Version("bench-summaries", threads)}
    if options.before:
        versions["before"] = Version("bench-summaries", threads, options.before)
    methods: dict[str, Callable[[str], str]] = {
        name: dict(
            zip(texts, version.run("summarize", artifacts.EXPORT, texts=texts, sentences=options.sentences), strict=True)
        ).__getitem__
        for name, version in versions.items()
    }
    methods["first_sentences"] = lambda text: " ".join(split_sentences(text)[: options.sentences])
    table = measure(pairs, methods)
    artifacts.write_json(REPORT, {"documents": len(pairs), "sentences": options.sentences, **table})
    for name, scores in table.items():
        print(f"{name:16}", *(f"{measure} {scores[measure]:.3f}" for measure in MEASURES))


if __name__ == "__main__":
    main()
