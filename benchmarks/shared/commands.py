"""What the commands give, by the Python API that all versions share, so that an earlier version of this project can be measured, too.

`python -m benchmarks.shared.commands JOB RESULT` runs a job in the process of a version. The package is that of the version's checkout, and
this module imports nothing else of it.
"""

import csv
import dataclasses
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from compactlm import CompactLM

EVERYTHING = -1.0  # a threshold below any score


@dataclasses.dataclass(frozen=True)
class Job:
    """A job. `models` is the directory of the models, `material` a JSON file with the arguments of the function named `kind`."""

    kind: Literal["ask", "embed", "summarize", "finetune"]
    models: str
    material: str
    threads: int


def ask(lm: CompactLM, rows: Sequence[dict[str, str]], questions: Sequence[str], threshold: float | None) -> list[int | None]:
    """Return the line of the answer to each question in a file of these rows, from 1, or None without an answer.

    `threshold` is that of CompactLM.knowledge(...).answer: None is the model's own.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        file = Path(directory) / "answers.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        known = lm.knowledge(file, Path(directory) / "index")
        return [known.answer(question, threshold).line for question in questions]


def embed(lm: CompactLM, texts: Sequence[str], output: str) -> None:
    """Write the vectors of texts, float32 [texts, width], to a .npy file."""
    np.save(output, lm.embed(texts))


def summarize(lm: CompactLM, texts: Sequence[str], sentences: int) -> list[str]:
    """Return a summary of each text."""
    return [" ".join(sentence.text for sentence in lm.summarize(text, sentences)) for text in texts]


def finetune(lm: CompactLM, draws: Sequence[Sequence[tuple[str, str]]], texts: Sequence[str]) -> list[list[str]]:
    """Return the labels of texts by a model that is fine-tuned on each draw of (text, label). The number of the draw is the seed."""
    found = []
    for seed, draw in enumerate(draws):
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            file, output = Path(directory) / "rows.csv", Path(directory) / "own"
            with file.open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream).writerows([("text", "label"), *draw])
            lm.finetune(file, "text", "label", output, seed=seed)
            found.append([answer.label for answer in CompactLM(output, backend="torch", threads=lm.threads).classify_all(texts)])
    return found


def run(job: Job) -> Any:
    """Run a job and return what its function returns."""
    material = json.loads(Path(job.material).read_text(encoding="utf-8"))
    jobs: dict[str, Any] = {"ask": ask, "embed": embed, "summarize": summarize, "finetune": finetune}
    return jobs[job.kind](CompactLM(job.models, threads=job.threads), **material)


def main() -> None:
    """Run the job and write its result."""
    Path(sys.argv[2]).write_text(json.dumps(run(Job(**json.loads(sys.argv[1])))), encoding="utf-8")


if __name__ == "__main__":
    main()
