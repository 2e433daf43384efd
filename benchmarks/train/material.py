"""The inputs of all contenders: sequences, the teacher, and a student with random weights."""

import random
from typing import Any

import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from benchmarks.train.arithmetic import Shape, Work, rows_for
from benchmarks.train.jobs import Job
from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.batches import make_batches
from compactlm.distillation.examples import TaskRows
from compactlm.distillation.inputs import Inputs
from compactlm.params import GeneralDistillation, Params, TaskDistillation, read_params
from compactlm.shapes.layers import LayerPairs, find_pairs
from compactlm.student.building import build_config


def _only_common_losses(losses: Any) -> Any:
    """Keep only the losses that every contender has: soft targets, hidden states and hard labels."""
    none = {name: getattr(losses, name).model_copy(update={"weight": 0.0}) for name in ("embeddings", "relations", "attention")}
    return losses.model_copy(update={**none, "focal_gamma": 0.0})


class Material:
    """The workspace's data and teacher for a job."""

    def __init__(self, job: Job) -> None:
        """Read params.yaml and data/tokenized of the working directory."""
        self.job, params = job, read_params()
        general = params.signals.general.model_copy(update={"sequences": job.sequences})
        distill = params.distill.model_copy(
            update={"general": _only_common_losses(params.distill.general), "task": _only_common_losses(params.distill.task)}
        )
        signals = params.signals.model_copy(update={"general": general})
        self.params: Params = params.model_copy(update={"signals": signals, "distill": distill})
        self.task = next(iter(params.tasks))
        self.inputs = Inputs(self.params)
        if job.vocabulary == "full":
            self._use_the_teachers_ids()

    def _use_the_teachers_ids(self) -> None:
        inputs, own = self.inputs, self.inputs.id_map
        for row in (*inputs.train, *inputs.augmented):
            row["input_ids"] = [own[token] for token in row["input_ids"]]
        inputs.tokenizer = models.load_tokenizer(artifacts.TEACHER / artifacts.BASE)
        inputs.id_map = list(range(len(inputs.tokenizer)))

    @property
    def losses(self) -> GeneralDistillation | TaskDistillation:
        """The losses and the optimisation of the job's phase."""
        return self.params.distill.general if self.job.phase == "general" else self.params.distill.task

    @property
    def temperature(self) -> float:
        """The temperature of the soft targets."""
        return self.params.signals.general.temperature if self.job.phase == "general" else self.params.distill.task.temperature

    def task_rows(self) -> TaskRows:
        """Return rows of the task, labelled and unlabelled, each with the weight 1."""
        rows = self.inputs.task(self.task)
        count = len(rows.ids)
        chosen = random.Random(f"{self.params.seed}/bench").sample(range(count), min(self.job.sequences, count))
        ids, sequences = [rows.ids[row] for row in chosen], [rows.sequences[row] for row in chosen]
        weights = [rows.weights[row] for row in chosen]
        return TaskRows(ids, sequences, [rows.targets[row] for row in chosen], weights, losses=rows.losses)

    def sequences(self) -> list[list[int]]:
        """Return the phase's sequences."""
        return self.inputs.general().sequences if self.job.phase == "general" else self.task_rows().sequences

    def teacher(self) -> Any:
        """Return the teacher of the phase."""
        if self.job.phase == "general":
            return models.load_masked_lm(artifacts.TEACHER / artifacts.BASE)[0].eval()
        return models.load_classifier(artifacts.TEACHER / self.task).eval()

    def cut_teacher(self) -> Any:
        """Return a teacher that takes the student's ids and scores only the student's tokens, so that no contender does extra work."""
        teacher = self.teacher()
        ids = torch.tensor(self.inputs.id_map, device=teacher.device)
        embeddings = teacher.bert.embeddings.word_embeddings
        embeddings.weight = torch.nn.Parameter(embeddings.weight.detach()[ids])
        embeddings.num_embeddings = teacher.config.vocab_size = len(ids)
        if self.job.phase == "general":
            decoder, predictions = teacher.cls.predictions.decoder, teacher.cls.predictions
            decoder.weight, decoder.out_features = embeddings.weight, len(ids)
            predictions.bias = decoder.bias = torch.nn.Parameter(decoder.bias.detach()[ids])
        return teacher.requires_grad_(False)

    def student(self) -> Any:
        """Return a student with random weights and BERT's usual dropout."""
        torch.manual_seed(self.params.seed)
        config = build_config(self.params.student, len(self.inputs.id_map))
        if self.job.phase == "general":
            return BertForMaskedLM(config)
        config.num_labels = len(self.params.tasks[self.task].labels)
        return BertForSequenceClassification(config)

    def pairs(self, student: Any, teacher: Any) -> LayerPairs:
        """Return the pairs of layers whose signals are kept."""
        if not self.losses.hidden.weight:
            return []
        depths = student.config.num_hidden_layers, teacher.config.num_hidden_layers
        return find_pairs("hidden", self.losses.hidden.layers, *depths, self.inputs.layers)[0]

    def work(self, student: Any, teacher: Any, pairs: int, scored: str, cached: bool = False) -> Work:
        """Return the arithmetic of a step. The teacher scores only the student's tokens, and does not run if its signals are cached."""
        own, theirs = (Shape.of(model.config, len(self.inputs.id_map)) for model in (student, teacher))
        return Work(own, None if cached else theirs, theirs.hidden, pairs, scored)

    def rows_a_batch(self, lengths: list[int]) -> int:
        """Return the rows of a batch whose mean number of real tokens equals that of compactlm's batches."""
        return rows_for(lengths, len(make_batches(lengths, self.losses.optimisation.batch_tokens, "bench")))
