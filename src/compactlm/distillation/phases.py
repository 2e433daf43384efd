"""The phases of distillation: from tokenized rows and a teacher to students in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm
from transformers import BertForMaskedLM, BertPreTrainedModel, PreTrainedModel

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.memory import memory_errors
from compactlm.bert.task_models import head_of, load_task_model
from compactlm.bert.words_to_mask import choose_words, top1
from compactlm.distillation.embedding_inputs import EMBEDDING, STATIC, EmbeddingInputs, is_enabled
from compactlm.distillation.embedding_phase import distil_embedding, validate
from compactlm.distillation.examples import GeneralExamples, TaskExamples, TaskRows
from compactlm.distillation.inputs import GENERAL, Inputs
from compactlm.distillation.losses.layer_losses import LayerLosses
from compactlm.distillation.objectives import GeneralObjective, TaskObjective
from compactlm.distillation.signals.cache import TeacherInputs
from compactlm.distillation.signals.counterfactual import average_families
from compactlm.errors import CompactLMError
from compactlm.figures.figure import Figure
from compactlm.figures.quality import retention
from compactlm.params import Losses, Optimisation, Params
from compactlm.shapes.budget import check_budget, parameters_of, sentence_width
from compactlm.shapes.layers import check_both_phases, needs_signals, uniform_layers
from compactlm.student.building import build_config, build_task_model, count_parameters
from compactlm.student.initialising import initialise, start_mlm_head
from compactlm.student.sentence_student import SentenceStudent, start_components
from compactlm.student.static_table import StaticTable
from compactlm.student.vocabulary import count_tokens
from compactlm.tasks import kind_of
from compactlm.tasks.segmenting import LibrarySegmenter
from compactlm.training import processes
from compactlm.training.checkpoints import Checkpoint
from compactlm.training.curves import curves
from compactlm.training.finishing import finish
from compactlm.training.loop import Examples, Settings, set_dropout, train
from compactlm.training.task_losses import TaskLosses

SAMPLE_TOKENS = 15_000  # inherited weights are fitted on about this many tokens


def _enable_attentions(losses: Losses, *bert: PreTrainedModel) -> None:
    """Let models return attention probabilities, which is slower, if a loss needs them."""
    if losses.attention.weight:
        for model in bert:
            model.set_attn_implementation("eager")


def _layer_losses(student: Any, teacher: Any, kept: Sequence[int], components: torch.Tensor, section: str, losses: Losses) -> LayerLosses:
    """Return the losses between layers, and print which pairs of layers have no signals."""
    found = LayerLosses(student.bert, teacher.bert, kept, components, losses)
    if processes.is_main_process():
        for sentence in found.describe():
            tqdm.write(f"{section}.{sentence}")
    return found


class Phases:
    """Runs the phases. It holds the parameters, the inputs, and the metrics and timings of finished phases."""

    def __init__(self, params: Params, checkpoints: Mapping[str, Checkpoint] | None = None, curve_directory: Path | None = None) -> None:
        """Read the inputs. Checkpoints (one for each phase) and the directory of learning curves are optional."""
        self.params, self.inputs = params, Inputs(params)
        self.sentences = EmbeddingInputs(self.inputs)
        self.settings = Settings(params.seed, params.precision, params.distill.checkpoint_minutes)
        self.checkpoints, self.curve_directory = checkpoints or {}, curve_directory
        self.timings: dict[str, object] = {}
        self.metrics: dict[str, dict[str, float | Figure]] = {}

    def general(self) -> tuple[BertForMaskedLM, torch.Tensor]:
        """Distil the masked language model. Return it with the principal components that its first weights are projected onto.

        Raises:
            CompactLMError: the student has more parameters than the budget allows, or a loss or a cache does not fit the models.
        """
        params, inputs = self.params, self.inputs
        teacher, has_head = models.load_masked_lm(artifacts.TEACHER / artifacts.BASE)
        check_both_phases(params, teacher.config, has_head)
        inputs.check_caches()
        if is_enabled(params.distill.embedding.enabled) and params.signals.source == "cached":
            self.sentences.source()  # a bad cache is found before hours of general distillation
        tokenized = inputs.general()
        student, components = self._begin(teacher, tokenized, has_head)
        _enable_attentions(params.distill.general, student, teacher)
        source = inputs.source(GENERAL, teacher.to(models.best_device()), tokenized) if needs_signals(params.distill.general) else None
        kept = source.layers if source else inputs.layers
        layer_losses = _layer_losses(student, teacher, kept, components, "distill.general", params.distill.general)
        objective = GeneralObjective(student, layer_losses, params.distill.general, params.signals.general.temperature)
        set_dropout(student, params.distill.general.optimisation.dropout)
        examples = GeneralExamples(tokenized, source, inputs.maskings)
        self._train(GENERAL, objective, examples, params.distill.general.optimisation, "distill.general.optimisation")
        layer_losses.close()
        self.metrics[GENERAL].update(self._masked_words(student, teacher if has_head else None))
        return student, components

    def untrained(self) -> tuple[BertForMaskedLM, torch.Tensor]:
        """Return the untrained student of general distillation, and its components."""
        teacher, has_head = models.load_masked_lm(artifacts.TEACHER / artifacts.BASE)
        return self._begin(teacher, self.inputs.general(), has_head)

    def _begin(self, teacher: BertForMaskedLM, tokenized: TeacherInputs, has_head: bool) -> tuple[BertForMaskedLM, torch.Tensor]:
        torch.manual_seed(self.params.seed)
        student = BertForMaskedLM(build_config(self.params.student, len(self.inputs.id_map)))
        # With many labels a classifier is larger than the masked language model.
        embedding = self.params.distill.embedding
        width = sentence_width(self.params.student, is_enabled(embedding.enabled), embedding.width)
        largest = max(count_parameters(student), parameters_of(self.params.student, len(self.inputs.id_map), self.params.outputs, width))
        check_budget(largest, models.count_with_head(teacher), self.params.student.budget)
        components = self._initialise(student, teacher, tokenized, has_head)
        if not has_head:
            start_mlm_head(student, count_tokens(row["input_ids"] for row in self.inputs.train))
        return student, components

    def task(self, name: str, general: BertForMaskedLM | SentenceStudent, components: torch.Tensor) -> BertPreTrainedModel:
        """Distil the student of one task. It starts from the general student or the sentence encoder, and its components."""
        params, inputs, task = self.params, self.inputs, self.params.tasks[name]
        distill, kind = params.distill.task, kind_of(task)
        teacher = load_task_model(artifacts.TEACHER / name)
        weights = {row["id"]: row["weight"] for row in artifacts.read_table(artifacts.WEIGHTED).to_pylist()}
        rows = inputs.task(name, weights)
        losses = rows.losses or TaskLosses(kind, task, rows.targets)
        student, components = self.untrained_task(name, general, components, teacher, rows)
        _enable_attentions(distill, student, teacher)
        source = inputs.source(name, teacher.to(models.best_device()), rows)
        # The soft targets of tokens belong to other tokens in a counterfactual copy.
        averaged = source if kind.per_token else average_families(source, rows, inputs.counterfactual_parents(), params.batch_tokens)
        layer_losses = _layer_losses(student, teacher, source.layers, components, "distill.task", distill)
        optimisation = task.student.applied(distill.optimisation)
        set_dropout(student, optimisation.dropout)
        objective = TaskObjective(student, layer_losses, distill, losses)
        self._train(name, objective, TaskExamples(rows, averaged), optimisation, "distill.task.optimisation")
        layer_losses.close()
        losses.fold(head_of(student))
        held_out = [row for row in artifacts.read_documents(artifacts.SPLIT / "validation") if row.task == name]
        segmenter, length = LibrarySegmenter(inputs.tokenizer.backend_tokenizer), task.length(params.tokenize.maximum_length)
        found = finish(student, segmenter, held_out, task, length, params.batch_tokens, f"{name}, validation")
        self.metrics[name] |= {f"validation_{key}" if key == task.metric else key: value for key, value in found.items()}
        return student

    def untrained_task(
        self,
        name: str,
        general: BertPreTrainedModel | SentenceStudent,
        components: torch.Tensor,
        teacher: BertPreTrainedModel,
        rows: TaskRows,
    ) -> tuple[BertPreTrainedModel, torch.Tensor]:
        """Return the untrained student of a task, and its components."""
        from_teacher = self.params.distill.task.start == "teacher"
        student = build_task_model(general, self.params.tasks[name], self.params.seed, body=not from_teacher)
        if not from_teacher:
            return student, components
        components = self._initialise(student, teacher, rows)
        if self.params.student.initialisation == "inherited" and rows.losses:
            rows.losses.unfold(head_of(student))
        return student, components

    def _initialise(self, student: Any, teacher: Any, tokenized: TeacherInputs, has_head: bool = True) -> torch.Tensor:
        """Set the student's first weights, fitted on the first rows that together have SAMPLE_TOKENS tokens."""
        rows, tokens = 0, 0
        while rows < len(tokenized.lengths) and tokens < SAMPLE_TOKENS:
            tokens += tokenized.lengths[rows]
            rows += 1
        sample = tokenized.model_inputs(range(rows))
        layers = uniform_layers(self.params.student.layers, teacher.config.num_hidden_layers)
        kind = self.params.student.initialisation
        student.cpu()
        with memory_errors("the first weights", 0, [], 0):
            inputs = sample["input_ids"], sample["attention_mask"]
            return initialise(student, teacher.cpu(), self.inputs.id_map, kind, *inputs, layers, has_head)

    def embedding(self, general: BertForMaskedLM) -> SentenceStudent | None:
        """Distil the sentence encoder, or return None if the phase is off (distill.embedding.enabled)."""
        if not is_enabled(self.params.distill.embedding.enabled):
            return None
        student = distil_embedding(self.sentences, general, self._train)
        self.metrics.setdefault(EMBEDDING, {}).update(validate(self.sentences, student))
        return student

    def start_of_tasks(
        self, general: BertForMaskedLM, components: torch.Tensor, encoder: SentenceStudent | None
    ) -> tuple[BertForMaskedLM | SentenceStudent, torch.Tensor]:
        """Return the student that distill.task.start names, from which the tasks start, and its components.

        Raises:
            CompactLMError: the tasks start from the embedding, but the phase is off.
        """
        if self.params.distill.task.start != "embedding":
            return general, components
        if encoder is None:
            raise CompactLMError(
                "distill.task.start is embedding, but the teacher is no sentence encoder and distill.embedding.enabled is auto; set "
                "distill.task.start to teacher or general, or distill.embedding.enabled to true"
            )
        return encoder, start_components(encoder, StaticTable.read(artifacts.SIGNALS / STATIC))

    def _train(self, phase: str, objective: torch.nn.Module, examples: Examples, optimisation: Optimisation, section: str) -> None:
        drawn = self.curve_directory is not None and processes.is_main_process()
        with curves(self.curve_directory / phase) if drawn and self.curve_directory else contextlib.nullcontext() as log:
            summary = train(phase, objective, examples, optimisation, self.settings, self.checkpoints.get(phase), log, section)
        self.timings[phase] = summary.speed()
        # A batch may lack a loss, so the last value of each is taken.
        self.metrics[phase] = {name: value for _, means in summary.history for name, value in means.items()}

    def _masked_words(self, student: BertForMaskedLM, teacher: BertForMaskedLM | None) -> dict[str, Figure]:
        """Return the share of masked words in the validation rows that the student predicts as its first choice.

        If the teacher has a masked-language-model head, the ratio to the teacher's share is returned as well.
        """
        params, batch_tokens = self.params, self.params.batch_tokens
        theirs = models.load_tokenizer(artifacts.TEACHER / artifacts.BASE)
        texts = {row.id: row.text for row in artifacts.read_documents(artifacts.SPLIT / "validation")}
        words = choose_words(texts, [theirs, self.inputs.tokenizer], params.teacher.validation_words, params.seed)
        lengths = params.tokenize.maximum_length, params.teacher.maximum_length
        own = top1(student, self.inputs.tokenizer, words, lengths[0], batch_tokens, "student, masked words")
        found = {"validation_top1": own}
        if teacher is not None:
            reference = top1(teacher, theirs, words, lengths[1], batch_tokens, "teacher, masked words")
            found["validation_top1_retention"] = retention(own, reference)
        return {name: Figure.over_rows(value, len(words)) for name, value in found.items()}
