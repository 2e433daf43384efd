"""The models of teacher and student: loading, checks for broken models, and sizes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import BertForMaskedLM, BertModel

from compactlm.artifacts import MLM, Document
from compactlm.bert import models
from compactlm.bert.mask_scores import probabilities
from compactlm.bert.pooling import mean_states
from compactlm.bert.task_models import load_task_model
from compactlm.bert.tokenization import encode
from compactlm.bert.words_to_mask import MaskedWord, mask_words
from compactlm.draws import sample
from compactlm.evaluation import pathologies
from compactlm.evaluation.classifier import Reader
from compactlm.evaluation.cost.size import bytes_on_disk, multiply_adds_a_token
from compactlm.evaluation.paired import Answers
from compactlm.evaluation.words.language_model import LanguageModel
from compactlm.student.building import count_parameters
from compactlm.tasks.base import Task

EMBEDDED_TEXTS = 200


@dataclasses.dataclass(frozen=True)
class Body:
    """A BERT without a head, with its tokenizer and the maximum number of tokens of a sequence."""

    model: BertModel
    tokenizer: Any
    maximum_length: int


@dataclasses.dataclass(frozen=True)
class Role:
    """Teacher or student.

    Attributes:
        name: "teacher" or "student".
        directory: the directory of its models.
        maximum_length: the maximum number of tokens of a sequence.
        general: the name of the directory of its general model, which is next to those of the tasks.
    """

    name: str
    directory: Path
    maximum_length: int
    general: str = MLM


def load_general(role: Role) -> LanguageModel | Body:
    """Load the general model of a role: a masked language model or, if the teacher has no such head, its body.

    Raises:
        CompactLMError: its weights are not finite.
    """
    directory = role.directory / role.general
    model, tokenizer = models.load_base(directory), models.load_tokenizer(directory)
    return (LanguageModel if isinstance(model, BertForMaskedLM) else Body)(model, tokenizer, role.maximum_length)


def load_reader(role: Role, name: str, task: Task, batch_tokens: int) -> Reader:
    """Load the model of a role for a task.

    Raises:
        CompactLMError: its weights are not finite.
    """
    model, tokenizer = load_task_model(role.directory / name), models.load_tokenizer(role.directory / name)
    return Reader(model, tokenizer, task.maximum_length or role.maximum_length, batch_tokens, f"{role.name}, {name}", task)


def answer(readers: Mapping[str, Reader], rows: Sequence[Document], task: Task, name: str) -> Answers:
    """Answer the test rows of a task with both models.

    Raises:
        CompactLMError: the outputs show that a model is broken.
    """
    said = {role: reader.answers(rows) for role, reader in readers.items()}
    answers = Answers(task, tuple(rows), said, {role: reader.settings for role, reader in readers.items()})
    pathologies.refuse([sentence for role in said for sentence in pathologies.of_answers(answers, role, name)])
    return answers


def spreads(
    bodies: Mapping[str, LanguageModel | Body | Reader], rows: Sequence[Document], name: str, batch_tokens: int, seed: int
) -> dict[str, float]:
    """Return how far each model's embeddings of some test rows are from their mean (`pathologies.spread`).

    Raises:
        CompactLMError: a model gives all of them the same embedding.
    """
    texts = sorted({row.text for row in sample(rows, EMBEDDED_TEXTS, seed)})
    found: dict[str, float] = {}
    findings: list[str] = []
    for role, one in bodies.items():
        sequences = encode(one.tokenizer, texts, one.maximum_length)
        found[role] = pathologies.spread(mean_states(models.body_of(one.model), sequences, one.tokenizer.pad_token_id, batch_tokens))
        findings.extend(pathologies.collapse(found[role], len(texts), role, name))
    pathologies.refuse(findings)
    return found


def word_spreads(models: Mapping[str, LanguageModel], words: Sequence[MaskedWord], batch_tokens: int) -> dict[str, float]:
    """Return the mean distance of each masked language model's distributions over some masked words (`pathologies.distance`).

    Raises:
        CompactLMError: a model gives all of them the same distribution.
    """
    found: dict[str, float] = {}
    findings: list[str] = []
    chosen = words[:EMBEDDED_TEXTS]
    for role, one in models.items():
        masked = mask_words(chosen, one.tokenizer, one.maximum_length)
        said = probabilities(one.model, masked, one.tokenizer.pad_token_id, batch_tokens, f"{role}, masked words")
        found[role] = pathologies.distance(said) if chosen else float("nan")
        findings.extend(pathologies.same_words(found[role], len(chosen), role) if chosen else ())
    pathologies.refuse(findings)
    return found


def sizes(
    loaded: Mapping[str, Sequence[LanguageModel | Body | Reader]], roles: Sequence[Role], names: Sequence[str], tokens: int
) -> dict[str, float]:
    """Return parameters, bytes on disk and multiply-adds per token of both models, and the ratio of parameters.

    The ratio compares the student's largest model with the teacher's smallest, so it never understates the student's size. The teacher is
    counted with a classifier head, because its published number of parameters includes one.

    Args:
        loaded: models by role.
        roles: teacher and student.
        names: the names of the models' directories, in the order of `loaded`.
        tokens: the length of the sequences for which multiply-adds are counted.
    """
    found: dict[str, float] = {}
    for role in roles:
        kept = list(zip(names, loaded[role.name], strict=True))
        if role.name == "teacher":
            kept = [(name, one) for name, one in kept if name != MLM]
        choose = min if role.name == "teacher" else max
        found[f"{role.name}_parameters"] = choose(count_parameters(one.model) for _, one in kept)
        found[f"{role.name}_bytes"] = choose(bytes_on_disk(role.directory / name) for name, _ in kept)
        found[f"{role.name}_multiply_adds_a_token"] = multiply_adds_a_token(kept[0][1].model.config, tokens)
    return {**found, "ratio": found["student_parameters"] / found["teacher_parameters"]}
