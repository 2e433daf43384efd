"""The inputs of distillation: rows, tokenizer and signal sources. The stages signals and distill-train share them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import Any

from transformers import BertForSequenceClassification

from compactlm import artifacts
from compactlm.bert import models
from compactlm.distillation.examples import TaskRows, task_rows
from compactlm.distillation.signals.cache import CachedSignals, TeacherInputs
from compactlm.distillation.signals.online import OnlineMasked, OnlineStates, OnlineTask
from compactlm.distillation.signals.segmentation import TeacherTokens
from compactlm.draws import draw_items
from compactlm.params import Params
from compactlm.shapes.layers import kept_layers, needs_signals
from compactlm.tasks import kind_of
from compactlm.training.random_masking import MaskedSequences

GENERAL = "general"  # the name of general distillation; tasks have their own names


class Inputs:
    """The tokenized rows, the student's tokenizer, and the map from the student's token ids to the teacher's."""

    def __init__(self, params: Params) -> None:
        """Read what the stage tokenize wrote."""
        self.params = params
        self.tokenizer = models.load_tokenizer(artifacts.STUDENT_TOKENIZER)
        self.id_map: list[int] = artifacts.read_json(artifacts.ID_MAP)
        self.train = artifacts.read_table(artifacts.TOKENIZED / "train").to_pylist()
        self.augmented = artifacts.read_table(artifacts.TOKENIZED / "augmented").to_pylist()

    @functools.cached_property
    def teacher_tokenizer(self) -> Any:
        """The teacher's tokenizer."""
        return models.load_tokenizer(artifacts.TEACHER / artifacts.BASE)

    @functools.cached_property
    def layers(self) -> list[int]:
        """The teacher's layers whose hidden states are signals."""
        depth = artifacts.read_json(artifacts.TEACHER / artifacts.BASE / "config.json")["num_hidden_layers"]
        return kept_layers(self.params.signals.layers, depth)

    @property
    def maskings(self) -> int:
        """The number of different maskings of each sequence in general distillation. Without signals, each epoch has its own."""
        general = self.params.distill.general
        return self.params.signals.general.maskings if needs_signals(general) else general.optimisation.epochs

    def general(self) -> MaskedSequences:
        """Return the masked text of general distillation."""
        params, seed = self.params.signals.general, self.params.seed
        rows = draw_items(self.train, params.sequences, "general", seed, key=lambda row: row["id"])
        ids, sequences = [row["id"] for row in rows], [row["input_ids"] for row in rows]
        return MaskedSequences(ids, sequences, self.tokenizer, params.mask_rate, f"{seed}/{GENERAL}", self.maskings)

    def task(self, name: str, weights: Mapping[str, float] | None = None) -> TaskRows:
        """Return a task's labelled rows, their copies and unlabelled rows. `weights` maps document ids to weights; None means 1."""
        params, task = self.params.signals.task, self.params.tasks[name]
        sources, pairs = params.unlabelled if task.unlabelled is None else task.unlabelled, kind_of(task).reads_pairs(task)
        unlabelled = [row for row in self.train if row["task"] is None and row["source"] in sources]
        domain = [row for row in unlabelled if (row.get("second") is not None) == pairs]
        drawn = draw_items(domain, params.unlabelled_sequences, "unlabelled", self.params.seed, key=lambda row: row["id"])
        return task_rows(name, task, [*self.train, *self.augmented], drawn, weights)

    def counterfactual_parents(self) -> dict[str, str]:
        """Return a dictionary from the id of each counterfactual copy to the id of its original."""
        table = artifacts.read_table(artifacts.COUNTERFACTUAL).select(["id", "parent"])
        return {row["id"]: row["parent"] for row in table.to_pylist()}

    def cache_settings(self, teacher: str) -> dict[str, Any]:
        """Return the settings that a teacher's signals depend on, as cache.json stores them.

        `teacher` is the name of its directory in artifacts.TEACHER.
        """
        signals = self.params.signals
        weights = (artifacts.TEACHER / teacher / "model.safetensors").read_bytes()
        found: dict[str, Any] = {
            "teacher": hashlib.sha256(weights).hexdigest(),
            "layers": self.layers,
            "precision": self.params.precision,
            "vocabulary": hashlib.sha256(artifacts.ID_MAP.read_bytes()).hexdigest(),
        }
        if teacher != artifacts.BASE:
            found["runtime"] = signals.task.runtime
        elif self.params.distill.general.soft_weight:
            found |= {"top_k": signals.general.top_k, "temperature": signals.general.temperature}
        return found

    def source(self, name: str, teacher: Any, tokenized: TeacherInputs) -> OnlineMasked | OnlineStates | OnlineTask | CachedSignals:
        """Return the source of the signals of general distillation (GENERAL) or of a task."""
        distill = self.params.distill
        if self.params.signals.source == "cached":
            return CachedSignals(artifacts.SIGNALS / name, tokenized, self.cache_settings(artifacts.BASE if name == GENERAL else name))
        if name == GENERAL:
            return self.online_general(teacher, distill.general.attention.weight > 0)
        return self.online_task(teacher, distill.task.attention.weight > 0)

    def online_general(self, teacher: Any, attentions: bool = False) -> OnlineMasked | OnlineStates:
        """Return the teacher's masked language model as a signal source; without soft targets, only its hidden states."""
        signals, general, precision = self.params.signals, self.params.signals.general, self.params.precision
        if not self.params.distill.general.soft_weight:
            return OnlineStates(teacher, self.id_map, signals.layers, attentions, precision)
        return OnlineMasked(teacher, self.id_map, signals.layers, general.top_k, general.temperature, attentions, precision)

    def check_caches(self) -> None:
        """Open every task's cache, to find a bad one before hours of general distillation. Does nothing for online signals.

        Raises:
            CompactLMError: a cache is damaged, or belongs to other rows or another teacher.
        """
        for name in self.params.tasks if self.params.signals.source == "cached" else ():
            CachedSignals(artifacts.SIGNALS / name, self.task(name), self.cache_settings(name))

    def online_task(self, teacher: Any, attentions: bool = False, body: Any = None) -> OnlineTask:
        """Return the fine-tuned teacher as a signal source; `body`, if given, runs instead of its body.

        If the answer belongs to the whole text, the teacher reads its own tokens. For tags, answer spans and attention probabilities, which
        belong to single tokens of the student, it reads the student's tokens.
        """
        source = OnlineTask(teacher, self.id_map, self.params.signals.layers, attentions, self.params.precision, body)
        if isinstance(teacher, BertForSequenceClassification) and not attentions:
            source.segmentation = TeacherTokens(self.tokenizer, self.teacher_tokenizer, self.id_map)
        return source
