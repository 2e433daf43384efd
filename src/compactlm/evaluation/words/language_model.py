"""The masked language models of teacher and student, compared on the same words of the test rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from transformers import BertForMaskedLM

from compactlm.artifacts import Document
from compactlm.bert.masked_lm import Scores, score
from compactlm.bert.masked_words import MaskedWord, choose_words, mask_words
from compactlm.evaluation.comparison import ROLES
from compactlm.evaluation.words.pseudo_perplexity import draw_words, pseudo_perplexity, surprises
from compactlm.figures.intervals import Array, ratio_interval, share
from compactlm.figures.judging import judged
from compactlm.figures.quality import retention
from compactlm.params import Evaluate


@dataclasses.dataclass(frozen=True)
class LanguageModel:
    """A masked language model with its tokenizer and the tokens that it reads at once."""

    model: BertForMaskedLM
    tokenizer: Any
    maximum_length: int


@dataclasses.dataclass(frozen=True)
class WordAnswers:
    """What both models say of masked words (`chosen`, `scores`), and of words drawn for pseudo-perplexity (`drawn`, `surprise`)."""

    chosen: Sequence[MaskedWord]
    scores: Mapping[str, Scores]
    drawn: Sequence[MaskedWord]
    surprise: Mapping[str, Array]


def ask(models: Mapping[str, LanguageModel], rows: Sequence[Document], evaluate: Evaluate, batch_tokens: int, seed: int) -> WordAnswers:
    """Ask both models for words of the test rows.

    Args:
        models: by role.
        rows: the test rows of all sources.
        evaluate: how many words to ask for; those for pseudo-perplexity are drawn from each source alike.
        batch_tokens: tokens a batch, padding included.
        seed: of the draws.
    """
    tokenizers = [models[role].tokenizer for role in ROLES]
    chosen = choose_words({row.id: row.text for row in rows}, tokenizers, evaluate.mlm_words, seed)
    shortest = min(model.maximum_length for model in models.values())
    drawn = []
    for source in sorted({row.source for row in rows}):
        texts = {row.id: row.text for row in rows if row.source == source}
        count = evaluate.pseudo_perplexity
        drawn.extend(draw_words(texts, tokenizers, count.rows_a_source, count.words_a_row, shortest, seed))
    scores, surprise = {}, {}
    for role, one in models.items():
        masked = mask_words(chosen, one.tokenizer, one.maximum_length)
        scores[role] = score(one.model, masked, one.tokenizer.pad_token_id, batch_tokens, f"{role}, masked words")
        surprise[role] = surprises(one.model, one.tokenizer, drawn, one.maximum_length, batch_tokens, f"{role}, pseudo-perplexity")
    return WordAnswers(chosen, scores, drawn, surprise)


def compare_language_models(answers: WordAnswers, rows: Sequence[Document], resamples: int, seed: int) -> dict[str, object]:
    """Return top 1, top 5 and pseudo-perplexity of both models, over all words and by source, with 95 % intervals.

    Args:
        answers: of both models.
        rows: the test rows, which tell each word's source.
        resamples: of the bootstrap.
        seed: of the resamples.
    """
    source_of = {row.id: row.source for row in rows}
    chosen = np.array([source_of[word.row] for word in answers.chosen], dtype=object)
    drawn = np.array([source_of[word.row] for word in answers.drawn], dtype=object)
    top1 = {role: answers.scores[role].hits(1) for role in ROLES}
    means = {role: float(top1[role].mean()) if len(chosen) else float("nan") for role in ROLES}
    everything = _figures(answers, np.ones(len(chosen), bool), np.ones(len(drawn), bool), resamples, seed)
    return {
        "rows": len(chosen),
        "teacher_top1": means["teacher"],
        "student_top1": means["student"],
        "retention": retention(means["student"], means["teacher"]),
        "judged": judged(len(chosen)),
        "quality": {**everything, "retention": ratio_interval(top1["student"], top1["teacher"], resamples, seed).as_metrics()},
        "sources": {source: _figures(answers, chosen == source, drawn == source, resamples, seed) for source in sorted({*chosen, *drawn})},
    }


def _figures(answers: WordAnswers, chosen: Any, drawn: Any, resamples: int, seed: int) -> dict[str, object]:
    found: dict[str, object] = {
        "masked_words": int(chosen.sum()),
        "words": int(drawn.sum()),
        "judged": judged(min(int(chosen.sum()), int(drawn.sum()))),
    }
    for role in ROLES:
        scores = answers.scores[role]
        found[role] = {
            "top1": share(int(scores.hits(1)[chosen].sum()), int(chosen.sum())).as_metrics(),
            "top5": share(int(scores.hits(5)[chosen].sum()), int(chosen.sum())).as_metrics(),
            "pseudo_perplexity": pseudo_perplexity(answers.surprise[role][drawn], resamples, seed).as_metrics(),
        }
    return found
