"""The bias of teacher and student on the same test rows and in their masked language models, before the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.bert.masked_lm import score_words
from compactlm.evaluation.comparison import Answers
from compactlm.evaluation.reading import Reader
from compactlm.evaluation.words.language_model import LanguageModel
from compactlm.fairness.comparison import compare_task, fairness_metrics, overall
from compactlm.fairness.gate import Verdict
from compactlm.fairness.stereotypes import ScoreWords, make_items, measure_stereotypes
from compactlm.figures.bootstrap import Array
from compactlm.params import Params


def measure_bias(
    params: Params,
    rows: Mapping[str, Sequence[Document]],
    answers: Mapping[str, Answers],
    readers: Mapping[str, Mapping[str, Reader]],
    language_models: Mapping[str, LanguageModel],
) -> tuple[dict[str, object], Verdict]:
    """Return what stands under `fairness` in evaluate.json, and the gate's verdict.

    Args:
        params: of the run.
        rows: labelled test rows by task.
        answers: what both models say of these, by task.
        readers: by task and role, for texts in which the words of groups have changed places.
        language_models: by role.
    """
    settings, seed = params.bias_audit, params.seed
    tasks = {
        name: compare_task(
            rows[name],
            name,
            params.tasks[name].labels,
            answers[name].probabilities,
            {role: reader.probabilities for role, reader in readers[name].items()},
            settings,
            seed,
        )
        for name in params.tasks
    }
    scorers = {role: _scorer(role, one, params.batch_tokens) for role, one in language_models.items()}
    stereotypes = {
        name: measure_stereotypes(make_items(templates), scorers, settings.minimum_group_rows, settings.bootstrap, seed)
        for name, templates in settings.stereotypes.items()
    }
    limits = settings.gate.model
    return fairness_metrics(tasks, stereotypes, limits), overall(tasks, stereotypes, limits)


def _scorer(role: str, one: LanguageModel, batch_tokens: int) -> ScoreWords:
    def score(texts: Sequence[str], words: Sequence[tuple[str, str]]) -> Array:
        found = score_words(one.model, one.tokenizer, texts, words, one.maximum_length, batch_tokens, f"{role}, stereotypes")
        return np.asarray(found, np.float64)

    return score
