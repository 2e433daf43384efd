"""Compare `compactlm classify` over a file with the bare runtime, and measure the index of `compactlm answer`: `make bench-classify`.

    python -m benchmarks.bench_classify --lines 20000 --passages 100000

The bare runtime gets prepared batches of token ids of similar length, and its answers are discarded. `classify` reads the lines of a file,
tokenizes, sorts and classifies them, and writes a line for each. Both run in every round. Passages are the first words of the default
experiment's train texts, repeated with changes. reports/benchmarks/streams.json gets the figures, which depend on the machine. A part that
is skipped (0) keeps its earlier figures.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.shared.machine import processor
from compactlm import CompactLM, artifacts
from compactlm.commands.tasks.classifying import classify
from compactlm.commands.tasks.options import TextOptions
from compactlm.text.formats.lines import read_lines

REPORT = Path("reports/benchmarks/streams.json")
QUESTIONS = 200
seconds = partial(timeit.timeit, number=1)  # the duration of a call


def varied(texts: list[str], count: int, seed: int) -> Iterator[str]:
    """Yield `count` texts: the given ones, then copies in which one word is replaced by a word of another text."""
    random = Random(seed)
    for number in range(count):
        words = texts[number % len(texts)].split()
        if number >= len(texts) and words:
            words[random.randrange(len(words))] = random.choice((random.choice(texts) or ".").split() or ["."])
        yield " ".join(words)


def bare(lm: CompactLM, path: Path, task: str) -> Callable[[], object]:
    """Return a function that runs the bare runtime over the lines of a file; reading, tokenizing and batching are done before."""
    model = lm.task(task)
    sequences = [model.tokenizer.cut(ids) for ids in model.tokenizer.encode([line.text for line in read_lines(str(path))])]
    batches = [batch for _, batch in model.batches(sequences)]
    run = model.runner.task_logits
    return lambda: [run(batch) for batch in batches]


def measure_classify(texts: list[str], lines: int, task: str, threads: int, rounds: int, scratch: Path) -> dict[str, Any]:
    """Return the lines per second of the bare runtime and of `classify`, and the median ratio over the rounds."""
    path = scratch / "lines.txt"
    path.write_text("".join(f"{text}\n" for text in varied(texts, lines, 0)), encoding="utf-8")
    export = str(artifacts.EXPORT)

    def whole() -> None:
        with Path(os.devnull).open("w", encoding="utf-8") as nothing, contextlib.redirect_stdout(nothing):
            classify(TextOptions(file=str(path), task=task, model=Path(export), threads=threads))

    without = bare(CompactLM(export, threads=threads), path, task)
    pairs = [(seconds(without), seconds(whole)) for _ in range(rounds)]
    return {
        "threads": threads,
        "lines": lines,
        "bare_lines_a_second": round(lines / statistics.median(first for first, _ in pairs), 1),
        "classify_lines_a_second": round(lines / statistics.median(second for _, second in pairs), 1),
        "ratio": round(statistics.median(first / second for first, second in pairs), 3),
        "ratios": [round(first / second, 3) for first, second in pairs],
    }


def measure_answers(texts: list[str], passages: int, starts: int, scratch: Path) -> dict[str, Any]:
    """Return the time to index passages, to open the index and to answer, in one process and from the command line."""
    path, index = scratch / "passages.txt", scratch / "index"
    path.write_text("".join(f"{text}\n\n" for text in varied(texts, passages, 1)), encoding="utf-8")
    lm = CompactLM(artifacts.EXPORT)
    build = seconds(lambda: lm.knowledge(path, index))
    opened = [seconds(lambda: lm.knowledge(path, index)) for _ in range(3)]
    knowledge = lm.knowledge(path, index)
    questions = [" ".join(text.split()[:12]) for text in Random(2).choices(texts, k=QUESTIONS)]
    spent = [seconds(partial(knowledge.answer, question)) for question in questions]
    command = [sys.executable, "-m", "compactlm.cli", "answer", "--knowledge", str(path), "--index", str(index), questions[0]]
    command += ["--model", str(artifacts.EXPORT)]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    cold = [seconds(lambda: subprocess.run(command, env=environment, check=True, capture_output=True)) for _ in range(starts)]
    return {
        "passages": len(knowledge.index),
        "words": max(len(text.split()) for text in texts),
        "build_seconds": round(build, 1),
        "open_ms": round(1000 * statistics.median(opened), 1),
        "answer_ms": round(1000 * statistics.median(spent), 2),
        "answer_p95_ms": round(1000 * float(np.percentile(spent, 95)), 2),
        "from_process_start_ms": round(1000 * statistics.median(cold), 1) if cold else None,
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=30, help="words per passage")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, os.cpu_count() or 1}))
    parser.add_argument("--task", default="sentiment")
    options = parser.parse_args()
    documents = artifacts.read_documents(artifacts.SPLIT / "train")
    texts = [" ".join(row.text.split()) for row in documents]
    passages = [" ".join(text.split()[: options.words]) for text in texts]
    found: dict[str, Any] = {"processor": processor(), "cores": os.cpu_count(), "classify": [], "answer": None}
    with tempfile.TemporaryDirectory(prefix="bench-classify-") as directory:
        scratch = Path(directory)
        reviews = [text for text, row in zip(texts, documents, strict=True) if row.task == options.task]
        for threads in options.threads if options.lines else ():
            found["classify"].append(measure_classify(reviews, options.lines, options.task, threads, options.rounds, scratch))
            print(found["classify"][-1], flush=True)
        if options.passages:
            found["answer"] = measure_answers(passages, options.passages, options.starts, scratch)
            print(found["answer"], flush=True)
    kept = artifacts.read_json(REPORT) if REPORT.is_file() else {}
    artifacts.write_json(REPORT, {**found, **{name: found[name] or kept.get(name) for name in ("classify", "answer")}})


if __name__ == "__main__":
    main()
