"""Train the teacher again with another seed, and tell the two apart as `compactlm blind judge` tells student and teacher apart.

    make blind-ceiling
    make blind-ceiling ARGS="--seed 18"        # the seed of the second teacher; by default the one after the seed of params.yaml

Two teachers of different seeds are the ceiling: a student cannot be nearer to its teacher than another training of the same teacher is.
The first is the teacher of the last run, whose answers are in data/predictions. The second starts from models/teacher/base and learns
the same rows. Tasks of other kinds, and those that read pairs, are left out. The figures are written to reports/blind.json.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.bert import models
from compactlm.bert.runtime import prepare
from compactlm.bert.tokenization import encode
from compactlm.blind.judge import Told, tell_apart
from compactlm.blind.summary import told_line
from compactlm.errors import CompactLMError
from compactlm.evaluation.predictions import read_answers
from compactlm.figures.bootstrap import Array, share
from compactlm.figures.figure import Figure
from compactlm.figures.numbers import interval, percent
from compactlm.params import Params, read_params
from compactlm.teacher import training as teachers
from compactlm.training.loop import Settings

REPORT = Path("reports/blind.json")


def rows_of(split: str, task: str) -> list[Document]:
    """Return the rows of a task in a split, sorted by id."""
    return [row for row in artifacts.read_documents(artifacts.SPLIT / split) if row.task == task]


def train_and_answer(params: Params, task: str, seed: int, texts: Sequence[str]) -> Array:
    """Fine-tune the teacher for a task with a seed of its own. Return its probabilities for the texts, float64 [texts, labels]."""
    prepare(params.threads, seed)
    base, labels, length = artifacts.TEACHER / artifacts.BASE, params.tasks[task].labels, params.teacher.maximum_length
    tokenizer, rows = models.load_tokenizer(base), rows_of("train", task)
    classifier = teachers.build_classifier(base, labels, seed)
    sequences = encode(tokenizer, [row.text for row in rows], length)
    expected, settings = [labels.index(str(row.label)) for row in rows], Settings(seed, params.precision)
    examples, ids = teachers.as_examples(sequences, expected), [row.id for row in rows]
    teachers.fine_tune(task, classifier, examples, params.tasks[task], params.teacher.fine_tuning, settings, ids=ids)
    logits = models.classify(classifier, encode(tokenizer, texts, length), params.batch_tokens, f"teacher of seed {seed}, {task}")
    probabilities: Array = torch.softmax(logits.double(), dim=1).numpy()
    return probabilities


def compare(first: Array, second: Array, seed: int) -> dict[str, Any]:
    """Return the share of rows with equal labels, with its Wilson interval, and how well a classifier tells the two apart."""
    same = int(np.sum(first.argmax(axis=1) == second.argmax(axis=1)))
    return {"agreement": share(same, len(first)).to_json(), "judge": asdict(tell_apart(first, second, seed))}


def measure(params: Params, seed: int) -> dict[str, Any]:
    """Return the figures of the student and of a second teacher, each next to the teacher of the run, by task."""
    predictions = artifacts.read_table(artifacts.PREDICTIONS).to_pylist()
    judged = {name: task for name, task in params.tasks.items() if task.kind == "classification" and not task.pair}
    if not judged:
        raise CompactLMError("no task of params.yaml gives one label to one text; add a task of the kind classification")
    params = params.model_copy(update={"tasks": judged})
    answers = read_answers(predictions, artifacts.read_documents(artifacts.SPLIT / "test"), params)
    found: dict[str, Any] = {}
    for task, own in answers.items():
        teacher, student = own.probabilities["teacher"], own.probabilities["student"]
        found[task] = {
            "rows": len(own.ids),
            "teacher_and_student": compare(teacher, student, params.seed),
            "two_teachers": compare(teacher, train_and_answer(params, task, seed, own.texts), params.seed),
        }
    return {"seeds": [params.seed, seed], "tasks": found}


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return what is printed: two lines for each pair of models."""
    shown = []
    for task, each in found["tasks"].items():
        for pair in ("teacher_and_student", "two_teachers"):
            agreement, judge = each[pair]["agreement"], each[pair]["judge"]
            shown.append(f"{task}, {pair.replace('_', ' ')}: equal labels on {interval(Figure.from_json(agreement), percent)} of the rows")
            shown.append("  " + told_line(task, Told(**judge)))
    return shown


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="the seed of the second teacher")
    parser.add_argument("--threads", type=int, help="CPU threads of its training; by default those of params.yaml")
    options = parser.parse_args(arguments)
    params = read_params()
    seed = params.seed + 1 if options.seed is None else options.seed
    if seed == params.seed:
        raise CompactLMError(f"both seeds are {seed}; pass another --seed")
    if options.threads is not None:
        params = params.model_copy(update={"threads": options.threads})
    found = measure(params, seed)
    artifacts.write_json(REPORT, found)
    print(*lines(found), sep="\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CompactLMError as error:
        sys.exit(f"blind-ceiling: {error}")
    except FileNotFoundError as error:
        sys.exit(f"blind-ceiling: {error.filename or error} is missing; run `dvc repro` first")
