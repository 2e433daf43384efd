"""Measure class weights and the focal loss on unbalanced labels: a rating that is extreme or not, and names in tweets.

    make bench-class-weights                       # after a run of the preset kinds: 3 seeds, 2,000 train rows
    make bench-class-weights ARGS="--seeds 17 --rows 500"

The general student learns each task from labels alone. A seed draws the train rows, the head and the order of the rows; all test rows are
answered. The table has the mean over seeds, and the least and the greatest value.
"""

import argparse
import dataclasses
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import torch
from rich.table import Table

from benchmarks.shared.harness import new_console, params_of
from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.bert import models
from compactlm.bert.runtime import prepare
from compactlm.bert.task_models import logits_of
from compactlm.evaluation.classifier import Reader
from compactlm.figures.metric_names import metric_name, shown
from compactlm.inference.runtime import directories
from compactlm.params import Optimisation, Task
from compactlm.student.building import build_task_model
from compactlm.tasks import kind_of
from compactlm.tasks.segmenting import LibrarySegmenter
from compactlm.teacher.training import LabelledExamples
from compactlm.training.loop import Settings, set_dropout, train
from compactlm.training.task_losses import TaskLosses

EXTREME = 2.5  # on a scale from -4 to 4
EXTREMES = ("very negative", "between", "very positive")
LENGTH = 64
EPOCHS = {"extremes": 4, "entities": 12}
METRICS = {"extremes": ("accuracy", "macro_f1"), "entities": ("token_accuracy", "entity_precision", "entity_recall", "entity_f1")}
LOSSES = {"no weights": ("none", 0.0), "class_weights: balanced": ("balanced", 0.0), "focal loss, gamma 2": ("none", 2.0)}


class Labels(torch.nn.Module):
    """The loss against the labels alone."""

    def __init__(self, model: Any, losses: TaskLosses, gamma: float) -> None:
        super().__init__()
        self.model, self.losses, self.gamma = model, losses, gamma

    def forward(self, labels: torch.Tensor, **inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the loss of a batch."""
        return {"loss": self.losses.hard(logits_of(self.model, **inputs), {**inputs, "labels": labels}, self.gamma)}


def extreme(row: Document) -> Document:
    """Return a rated row with one of EXTREMES as its label."""
    score = row.score or 0.0
    return dataclasses.replace(row, label=EXTREMES[1 + int(score >= EXTREME) - int(score <= -EXTREME)])


def rows_of(case: str, split: str) -> list[Document]:
    """Return the rows of a split for a case."""
    rows = artifacts.read_documents(artifacts.SPLIT / split)
    if case == "entities":
        return [row for row in rows if row.task == case]
    return [extreme(row) for row in rows if row.task == "rating"]


def task_of(case: str, entities: Task, class_weights: str) -> Task:
    """Return the task of a case."""
    changes = {"class_weights": class_weights}
    if case == "entities":
        return entities.model_copy(update=changes)
    return Task.model_validate({"sources": ["rows"], "labels": EXTREMES, "metric": "macro_f1", **changes})


def learn(task: Task, rows: Sequence[Document], gamma: float, epochs: int, seed: int) -> Reader:
    """Train the general student on labelled rows."""
    directory, kind = directories.find_base(artifacts.STUDENT).path, kind_of(task)
    tokenizer, model = models.load_tokenizer(directory), build_task_model(models.load_body(directory), task, seed)
    encoded = kind.encode(LibrarySegmenter(tokenizer.backend_tokenizer), rows, task, LENGTH, places=True)
    examples = [one for row in encoded for one in row]
    losses = TaskLosses(kind, task, [one.target for one in examples])
    set_dropout(model, 0.1)
    optimisation = Optimisation(epochs=epochs, learning_rate=5e-4, weight_decay=0.01, warmup=0.05, batch_tokens=1024, dropout=0.1)
    learning = Labels(model, losses, gamma)
    train("labels", learning, LabelledExamples(examples, losses, model.config.pad_token_id), optimisation, Settings(seed))
    return Reader(model, tokenizer, LENGTH, 4096, "test", task)


def measure(case: str, entities: Task, how: tuple[str, float], count: int, seed: int) -> dict[str, float]:
    """Return the metrics of a student on all test rows."""
    rows = rows_of(case, "train")
    task, chosen = task_of(case, entities, how[0]), Random(seed).sample(rows, min(count, len(rows)))
    prepare(torch.get_num_threads(), seed)
    reader, test = learn(task, chosen, how[1], EPOCHS[case], seed), rows_of(case, "test")
    found = kind_of(task).measure(reader.answers(test), test, task, np.ones((1, len(test))), {})
    return {name: float(found[name][0]) for name in METRICS[case]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[17, 18, 19], help="seeds")
    parser.add_argument("--cases", nargs="+", choices=list(METRICS), default=list(METRICS), help="what to learn")
    parser.add_argument("--rows", type=int, default=2000, help="train rows of a case; fewer if there are fewer")
    options = parser.parse_args()
    params = params_of("bench_class_weights")
    if "entities" not in params.tasks or "rating" not in params.tasks:
        parser.exit(1, "bench_class_weights: this run is not of the preset kinds; run `make train PRESET=kinds`\n")
    torch.set_num_threads(params.threads)
    console = new_console(140)
    for case in options.cases:
        metrics = METRICS[case]
        table = Table(
            "loss", *(metric_name(name) for name in metrics), title=f"{case}, mean of {len(options.seeds)} seeds (least to greatest)"
        )
        for name, how in LOSSES.items():
            measured = [measure(case, params.tasks["entities"], how, options.rows, seed) for seed in options.seeds]
            cells = []
            for metric in metrics:
                values, show = [one[metric] for one in measured], shown(metric)
                cells.append(f"{show(float(np.mean(values)))} ({show(min(values))} to {show(max(values))})")
            table.add_row(name, *cells)
        console.print(table)


if __name__ == "__main__":
    main()
