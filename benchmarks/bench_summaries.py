"""Extractive summaries beside the first sentences of a text, both measured by ROUGE against summaries that people wrote.

    python -m benchmarks.bench_summaries                # all news documents that the default experiment reads (source xsum)
    python -m benchmarks.bench_summaries --rows 100

The documents come from the archive that params.yaml names; the figures go to reports/summaries.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rouge_score.rouge_scorer import RougeScorer
from rouge_score.scoring import BootstrapAggregator
from tqdm import tqdm

from compactlm import CompactLM, artifacts
from compactlm.corpus.ingest.archives import fetch, read_member
from compactlm.inference.summarizing import split_sentences
from compactlm.params import read_params

REPORT = Path("reports/summaries.json")
MEASURES = ("rouge1", "rouge2", "rougeL")


def documents(source: str) -> list[tuple[str, str]]:
    """Return documents and their summaries of a source of params.yaml, those of less than four sentences left out."""
    archive = read_params().ingest.sources[source]
    rows = [json.loads(line) for line in read_member(fetch(archive), list(archive.member)).decode().splitlines()]
    return [(row["document"], row["summary"]) for row in rows if len(split_sentences(row["document"])) > 3]


def measure(pairs: Sequence[tuple[str, str]], ways: dict[str, Callable[[str], str]]) -> dict[str, dict[str, float]]:
    """Return the F1 of each measure for each way of summarising, with the ends of its 95 % interval (bootstrap over documents)."""
    scorer = RougeScorer(list(MEASURES), use_stemmer=True)
    found = {name: BootstrapAggregator() for name in ways}
    for document, summary in tqdm(pairs, desc="summaries", unit="document"):
        for name, way in ways.items():
            found[name].add_scores(scorer.score(summary, way(document)))
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
    parser.add_argument("--model", help="directory of the models; by default that of the pipeline")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--rows", type=int, default=1000, help="documents")
    parser.add_argument("--sentences", type=int, default=3)
    options = parser.parse_args()
    lm = CompactLM(options.model, backend=options.backend)
    pairs = documents("xsum")[: options.rows]
    ways: dict[str, Callable[[str], str]] = {
        "student": lambda text: " ".join(sentence.text for sentence in lm.summarize(text, options.sentences)),
        "first_sentences": lambda text: " ".join(split_sentences(text)[: options.sentences]),
    }
    table = measure(pairs, ways)
    artifacts.write_json(REPORT, {"documents": len(pairs), "sentences": options.sentences, **table})
    for name, scores in table.items():
        print(f"{name:16}", *(f"{measure} {scores[measure]:.3f}" for measure in MEASURES))


if __name__ == "__main__":
    main()
