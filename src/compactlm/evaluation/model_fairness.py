"""The fairness of teacher and student, on the same test rows and in their masked language models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.bert.mask_scores import score_words
from compactlm.evaluation.classifier import Reader
from compactlm.evaluation.paired import Answers
from compactlm.evaluation.words.language_model import LanguageModel
from compactlm.fairness.audit.models import audit_models, fairness_metrics
from compactlm.fairness.stereotypes import ScoreWords, make_items, measure_stereotypes
from compactlm.figures.bootstrap import Array, Resampler
from compactlm.params import Params


def measure_fairness(
    params: Params,
    answers: Mapping[str, Answers],
    readers: Mapping[str, Mapping[str, Reader]],
    language_models: Mapping[str, LanguageModel],
) -> dict[str, object]:
    """Return the content of `fairness` in evaluate.json, as nested figures.

    `answers` are by task, and language models by role. `readers`, by task and role, answer counterfactual rows. Tasks of a kind whose
    answers cannot be compared between groups are left out.
    """
    settings, resampler = params.bias_audit, Resampler.of(params.bootstrap, params.seed)
    tasks = {}
    for name, task in params.tasks.items():
        predict = {role: reader.answers for role, reader in readers[name].items()}
        rows = [row for row in answers[name].rows if isinstance(row, Document)]
        audit = audit_models(rows, name, task, answers[name].said, predict, settings, resampler)
        if audit is not None:
            tasks[name] = audit
    scorers = {role: _scorer(role, one, params.batch_tokens) for role, one in language_models.items()}
    stereotypes = {
        name: measure_stereotypes(make_items(templates), scorers, settings, resampler) for name, templates in settings.stereotypes.items()
    }
    return fairness_metrics(tasks, stereotypes, resampler.confidence)


def _scorer(role: str, one: LanguageModel, batch_tokens: int) -> ScoreWords:
    def score(texts: Sequence[str], words: Sequence[tuple[str, str]]) -> Array:
        found = score_words(one.model, one.tokenizer, texts, words, one.maximum_length, batch_tokens, f"{role}, stereotypes")
        return np.asarray(found, np.float64)

    return score
