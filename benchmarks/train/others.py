"""The other contenders: a plain Hugging Face Trainer, as in tutorials, and TextBrewer. Both run the teacher at every step."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from transformers import DataCollatorForLanguageModeling, DataCollatorWithPadding, Trainer, TrainingArguments
from transformers.optimization import get_linear_schedule_with_warmup

from benchmarks.train.arithmetic import Work
from benchmarks.train.clock import Clock
from benchmarks.train.material import Material
from compactlm.bert import models
from compactlm.distillation.losses.hidden import HIDDEN_DISTANCES
from compactlm.tasks import KINDS
from compactlm.tasks.losses import hard_labels, soft_targets

STEPS = 1_000_000  # more than any machine finishes in time
Collate = Callable[[Sequence[dict[str, Any]]], dict[str, torch.Tensor]]


class _Projected(torch.nn.Module):
    """A student with its trained projections."""

    def __init__(self, student: Any, width: int, pairs: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.student = student
        self.projections = torch.nn.ModuleList(torch.nn.Linear(student.config.hidden_size, width) for _ in pairs)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        return self.student(input_ids, attention_mask=attention_mask, output_hidden_states=True)


class _DistillationTrainer(Trainer):  # type: ignore[misc]
    """Soft targets, hidden states and hard labels in compute_loss, as in tutorials."""

    def __init__(self, material: Material, teacher: Any, pairs: Sequence[tuple[int, int]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.material, self.teacher, self.pairs = material, teacher, pairs

    def compute_loss(self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool = False, **_: Any) -> Any:
        """Return the loss of a batch. Logits are computed everywhere, and selected at the masked positions."""
        losses, labels, mask = self.material.losses, inputs["labels"], inputs["attention_mask"]
        output = model(inputs["input_ids"], mask)
        with torch.no_grad():
            answer = self.teacher(inputs["input_ids"], attention_mask=mask, output_hidden_states=True)
        logits, soft = output.logits, answer.logits
        if labels.ndim == 2:
            where = labels >= 0
            logits, soft, labels = logits[where], soft[where], labels[where]
        loss = losses.soft_weight * soft_targets(logits, soft, self.material.temperature)
        if losses.hard_weight:
            loss = loss + losses.hard_weight * hard_labels(logits, labels)
        distance = HIDDEN_DISTANCES[losses.hidden.distance]
        for projection, (own, theirs) in zip(model.projections, self.pairs, strict=True):
            states = distance(projection(output.hidden_states[own]), answer.hidden_states[theirs], mask)
            loss = loss + losses.hidden.weight / len(self.pairs) * states
        return (loss, output) if return_outputs else loss


def _padded(sequences: Sequence[list[int]], tokenizer: Any) -> list[dict[str, Any]]:
    """Return one row for each sequence, padded to the longest."""
    padded = tokenizer.pad({"input_ids": list(sequences)})
    special = [tokenizer.get_special_tokens_mask(ids, already_has_special_tokens=True) for ids in padded["input_ids"]]
    columns = {"input_ids": padded["input_ids"], "attention_mask": padded["attention_mask"], "special_tokens_mask": special}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def pack(sequences: Sequence[list[int]]) -> list[list[int]]:
    """Join all sequences and split them into rows of the longest length; the last tokens, which fill no row, are dropped."""
    longest, text = max(map(len, sequences)), list(itertools.chain.from_iterable(sequences))
    return [text[start : start + longest] for start in range(0, len(text) - longest + 1, longest)]


def _features(material: Material) -> tuple[list[dict[str, Any]], Collate]:
    """Return the rows as a tokenizer returns them, and their collator."""
    tokenizer = material.inputs.tokenizer
    if material.job.phase == "general":
        sequences = material.sequences()
        rows = _padded(pack(sequences) if material.job.kind == "packed" else sequences, tokenizer)
        return rows, DataCollatorForLanguageModeling(tokenizer, mlm_probability=material.params.signals.general.mask_rate)
    task = material.task_rows()
    rows = [
        {"input_ids": sequence, "attention_mask": [1] * len(sequence), "labels": label}
        for sequence, label in zip(task.sequences, KINDS["classification"].collate(task.targets, 0).tolist(), strict=True)
    ]
    return rows, DataCollatorWithPadding(tokenizer)


def _counted(collate: Collate, clock: Clock) -> Collate:
    """Return a collator that reports its batches to the clock."""

    def count(features: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        batch = dict(collate(features))
        clock.supply(batch)
        return batch

    return count


def _rows_a_batch(material: Material, rows: list[dict[str, Any]]) -> int:
    """Return how many of these rows have as many real tokens as one of our batches."""
    lengths = [len(sequence) for sequence in material.sequences()]
    tokens = material.rows_a_batch(lengths) * mean(lengths)
    return max(1, round(tokens / mean(sum(row["attention_mask"]) for row in rows)))


def measure_plain(material: Material, clock: Clock) -> Work:
    """Train with a Trainer until the clock stops it."""
    teacher, student, optimisation = material.cut_teacher(), material.student(), material.losses.optimisation
    pairs = material.pairs(student, teacher)
    rows, collate = _features(material)
    arguments = TrainingArguments(
        output_dir=str(Path(material.job.directory) / "plain"),
        per_device_train_batch_size=_rows_a_batch(material, rows),
        learning_rate=optimisation.learning_rate,
        weight_decay=optimisation.weight_decay,
        max_steps=STEPS,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        use_cpu=not torch.cuda.is_available(),
        seed=material.params.seed,
    )
    model = _Projected(student, teacher.config.hidden_size, pairs)
    trainer = _DistillationTrainer(
        material, teacher, pairs, model=model, args=arguments, train_dataset=rows, data_collator=_counted(collate, clock)
    )
    clock.run(trainer.train)
    return material.work(student, teacher, len(pairs), "all" if material.job.phase == "general" else "none")


def measure_textbrewer(material: Material, clock: Clock) -> Work:
    """Train a task with TextBrewer's GeneralDistiller until the clock stops it."""
    from textbrewer import DistillationConfig, GeneralDistiller, TrainingConfig  # type: ignore[import-untyped]

    losses, device = material.losses, models.best_device()
    teacher, student = material.cut_teacher(), material.student().to(device)
    pairs = material.pairs(student, teacher)
    rows, collate = _features(material)
    loader: torch.utils.data.DataLoader[Any] = torch.utils.data.DataLoader(
        rows,  # type: ignore[arg-type]
        batch_size=_rows_a_batch(material, rows),
        shuffle=True,
        collate_fn=_counted(collate, clock),
    )
    matches = [
        {
            "layer_T": theirs,
            "layer_S": own,
            "feature": "hidden",
            "loss": "cos" if losses.hidden.distance == "cosine" else "hidden_mse",
            "weight": losses.hidden.weight / len(pairs),
            "proj": ["linear", student.config.hidden_size, teacher.config.hidden_size],
        }
        for own, theirs in pairs
    ]
    # TextBrewer's divergence lacks the squared temperature.
    soft_weight = losses.soft_weight * material.temperature**2
    weights = {"temperature": material.temperature, "kd_loss_weight": soft_weight, "hard_label_weight": losses.hard_weight}
    distiller = GeneralDistiller(
        TrainingConfig(output_dir=str(Path(material.job.directory) / "textbrewer"), device=device, ckpt_steps=STEPS),
        DistillationConfig(**weights, intermediate_matches=matches),
        teacher,
        student,
        lambda batch, output: _adapt(batch, output, hard=False),
        lambda batch, output: _adapt(batch, output, hard=bool(losses.hard_weight)),
    )
    optimizer = torch.optim.AdamW(student.parameters(), lr=losses.optimisation.learning_rate, weight_decay=losses.optimisation.weight_decay)
    schedule = {"num_warmup_steps": 0, "num_training_steps": STEPS}

    limits = {"max_grad_norm": 1.0, "num_steps": STEPS, "output_hidden_states": True}
    with distiller:
        clock.run(
            lambda: distiller.train(optimizer, loader, scheduler_class=get_linear_schedule_with_warmup, scheduler_args=schedule, **limits)
        )
    return material.work(student, teacher, len(pairs), "none")


def _adapt(batch: dict[str, torch.Tensor], output: Any, hard: bool) -> dict[str, Any]:
    adapted = {"logits": output.logits, "hidden": output.hidden_states, "inputs_mask": batch["attention_mask"]}
    return {**adapted, "losses": output.loss} if hard else adapted
