"""Measure class weights and the focal loss on unbalanced labels: a rating that is extreme or not, and names in tweets.

    make bench-class-weights                       # after a run of the preset kinds: 3 seeds, 2,000 train rows
    make bench-class-weights ARGS="--seeds 17 --rows 500"
    make bench-class-weights ARGS="--frozen --cases extremes"   # a head on frozen features alone, in a minute or two

The general student learns each task from labels alone. A seed draws the train rows, the head and the order of the rows; all test rows are
answered. The table has the mean over seeds, and the least and the greatest value.
"""

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
import torch
from rich.table import Table

from benchmarks.fairness.cross_fitting import frozen_features
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
METRICS = {
    "extremes": ("accuracy", "macro_f1", "rare_recall"),
    "entities": ("token_accuracy", "entity_precision", "entity_recall", "entity_f1"),
}
DECAY = 1e-3  # of the weights of a head on frozen features
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


def task_of(case: str, entities: Task | None, class_weights: str) -> Task:
    """Return the task of a case."""
    changes = {"class_weights": class_weights}
    if case == "entities" and entities is not None:
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


def metrics_of(case: str, answers: Any, test: Sequence[Document], task: Task) -> dict[str, float]:
    """Return the METRICS of answers; `rare_recall` is the mean recall of both extremes."""
    found = {name: float(values[0]) for name, values in kind_of(task).measure(answers, test, task, np.ones((1, len(test))), {}).items()}
    if case == "extremes":
        right, labels = answers.argmax(axis=1) == [task.labels.index(str(row.label)) for row in test], np.array([row.label for row in test])
        found["rare_recall"] = float(np.mean([right[labels == label].mean() for label in (EXTREMES[0], EXTREMES[2])]))
    return {name: found[name] for name in METRICS[case]}


def draw(rows: Sequence[Document], count: int, seed: int) -> list[int]:
    """Return the positions of the train rows of a seed."""
    return sorted(Random(seed).sample(range(len(rows)), min(count, len(rows))))


def frozen(split: str, chosen: Callable[[Sequence[Document]], Sequence[int]]) -> tuple[list[Document], torch.Tensor]:
    """Return the rated rows of a split, and features of the general student for the chosen ones, float [rows, features]."""
    directory, rows = directories.find_base(artifacts.STUDENT).path, rows_of("extremes", split)
    body, tokenizer, places = models.load_body(directory), models.load_tokenizer(directory), list(chosen(rows))
    found = torch.from_numpy(frozen_features(body, tokenizer, LENGTH, [rows[at].text for at in places])).float()
    vectors = torch.zeros(len(rows), found.shape[1])
    vectors[places] = found
    return rows, vectors


def measure_frozen(
    how: tuple[str, float], count: int, seed: int, features: Mapping[str, tuple[list[Document], torch.Tensor]]
) -> dict[str, float]:
    """Return the metrics of a head on frozen features on all test rows."""
    task = task_of("extremes", None, how[0])
    kind, (rows, vectors) = kind_of(task), features["train"]
    chosen = draw(rows, count, seed)
    targets = [kind.target(rows[at], task) for at in chosen]
    losses = TaskLosses(kind, task, targets)
    batch, inputs = {"labels": losses.labels(targets, 1)}, vectors[chosen]
    mean, spread = inputs.mean(dim=0), inputs.std(dim=0) + 1e-6
    torch.manual_seed(seed)
    head = torch.nn.Linear(vectors.shape[1], len(task.labels))
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = losses.hard(head((inputs - mean) / spread), batch, how[1]) + DECAY * head.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    test, seen = features["test"]
    with torch.inference_mode():
        answers = kind.activate(head((seen - mean) / spread).numpy())
    return metrics_of("extremes", answers, test, task)


def measure(case: str, entities: Task, how: tuple[str, float], count: int, seed: int) -> dict[str, float]:
    """Return the metrics of a student on all test rows."""
    rows = rows_of(case, "train")
    task, chosen = task_of(case, entities, how[0]), [rows[at] for at in draw(rows, count, seed)]
    prepare(torch.get_num_threads(), seed)
    reader, test = learn(task, chosen, how[1], EPOCHS[case], seed), rows_of(case, "test")
    return metrics_of(case, reader.answers(test), test, task)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[17, 18, 19], help="seeds")
    parser.add_argument("--cases", nargs="+", choices=list(METRICS), default=list(METRICS), help="what to learn")
    parser.add_argument("--frozen", action="store_true", help="train a head on frozen features, for the case extremes")
    parser.add_argument("--rows", type=int, default=2000, help="train rows of a case; fewer if there are fewer")
    options = parser.parse_args()
    params = params_of("bench_class_weights")
    if "entities" not in params.tasks or "rating" not in params.tasks:
        parser.exit(1, "bench_class_weights: this run is not of the preset kinds; run `make train PRESET=kinds`\n")
    torch.set_num_threads(params.threads)
    console = new_console(140)
    features = {}
    if options.frozen:
        features["train"] = frozen("train", lambda rows: sorted({at for seed in options.seeds for at in draw(rows, options.rows, seed)}))
        features["test"] = frozen("test", lambda rows: range(len(rows)))
    for case in ["extremes"] if options.frozen else options.cases:
        metrics = METRICS[case]
        table = Table(
            "loss", *(metric_name(name) for name in metrics), title=f"{case}, mean of {len(options.seeds)} seeds (least to greatest)"
        )
        for name, how in LOSSES.items():
            measured = [
                measure_frozen(how, options.rows, seed, features)
                if options.frozen
                else measure(case, params.tasks["entities"], how, options.rows, seed)
                for seed in options.seeds
            ]
            cells = []
            for metric in metrics:
                values, show = [one[metric] for one in measured], shown(metric)
                cells.append(f"{show(float(np.mean(values)))} ({show(min(values))} to {show(max(values))})")
            table.add_row(name, *cells)
        console.print(table)


if __name__ == "__main__":
    main()
