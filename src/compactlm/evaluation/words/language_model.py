"""Compare the masked language models of teacher and student, and baselines, on the same words of the test rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from transformers import BertForMaskedLM

from compactlm.artifacts import Document
from compactlm.bert.mask_scores import Scores, score
from compactlm.bert.words_to_mask import MaskedWord, choose_words, mask_words
from compactlm.evaluation.limits import FIRST_CHOICE
from compactlm.evaluation.paired import ROLES
from compactlm.evaluation.words.ngrams import NeighbourCounts, split_words
from compactlm.evaluation.words.pseudo_perplexity import draw_words, pseudo_perplexity, surprises
from compactlm.figures.bootstrap import Array, Resampler, share
from compactlm.figures.figure import MINIMUM_ROWS, Figure
from compactlm.figures.quality import retention
from compactlm.params import Evaluate


@dataclasses.dataclass(frozen=True)
class LanguageModel:
    """A masked language model with its tokenizer and the maximum number of tokens of a sequence."""

    model: BertForMaskedLM
    tokenizer: Any
    maximum_length: int


@dataclasses.dataclass(frozen=True)
class WordAnswers:
    """The scores of the masked words (`chosen`, `scores`), and of the words drawn for pseudo-perplexity (`drawn`, `surprise`).

    `scores` and `surprise` are by role. A teacher without a head for masked words has none.
    """

    chosen: Sequence[MaskedWord]
    scores: Mapping[str, Scores]
    drawn: Sequence[MaskedWord]
    surprise: Mapping[str, Array]


def ask(models: Mapping[str, LanguageModel], rows: Sequence[Document], evaluate: Evaluate, batch_tokens: int, seed: int) -> WordAnswers:
    """Predict words of the test rows with each model, by role. For pseudo-perplexity, equally many words are drawn from each source."""
    tokenizers = [models[role].tokenizer for role in ROLES if role in models]
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


def compare_language_models(answers: WordAnswers, rows: Sequence[Document], resampler: Resampler) -> dict[str, object]:
    """Return top 1, top 5 and pseudo-perplexity of both models, for all words and by source of the test rows.

    For a teacher without answers, its figures and the retention are not judged.
    """
    source_of = {row.id: row.source for row in rows}
    chosen = np.array([source_of[word.row] for word in answers.chosen], dtype=object)
    drawn = np.array([source_of[word.row] for word in answers.drawn], dtype=object)
    top1 = {role: scores.hits(1) for role, scores in answers.scores.items()}
    means = {role: float(hits.mean()) if len(chosen) else float("nan") for role, hits in top1.items()}
    everything = _figures(answers, np.ones(len(chosen), bool), np.ones(len(drawn), bool), resampler)
    everything["student"]["top1"] = everything["student"]["top1"].with_limit(FIRST_CHOICE)
    kept = resampler.ratio(top1["student"], top1["teacher"], rows_needed=MINIMUM_ROWS) if "teacher" in top1 else Figure.not_measured()
    compared = {"teacher_top1": means["teacher"], "retention": retention(means["student"], means["teacher"])} if "teacher" in means else {}
    return {
        "rows": len(chosen),
        "student_top1": means["student"],
        "student_pseudo_perplexity": _exponential(answers.surprise["student"]),
        **compared,
        "quality": {**everything, "retention": kept},
        "sources": {source: _figures(answers, chosen == source, drawn == source, resampler) for source in sorted({*chosen, *drawn})},
    }


def compare_baselines(answers: WordAnswers, train: Iterable[str], tokenizer: Any, resampler: Resampler) -> dict[str, object]:
    """Return top 1 and pseudo-perplexity of two baselines on the same words. Both count words in the texts of the train split.

    Returns:
        `frequency_top1`, `frequency_pseudo_perplexity`, `ngram_top1`, `ngram_pseudo_perplexity`, and `baselines`, which has the same
        figures with confidence intervals.
    """
    counts = NeighbourCounts(split_words(tokenizer, train))
    found: dict[str, object] = {}
    figures = {}
    for name, ask_baseline in (("frequency", counts.by_frequency), ("ngram", counts.by_neighbours)):
        right, surprise = ask_baseline(answers.chosen).right, ask_baseline(answers.drawn).surprise
        found[f"{name}_top1"] = float(right.mean()) if len(right) else float("nan")
        found[f"{name}_pseudo_perplexity"] = _exponential(surprise)
        figures[name] = {
            "top1": share(int(right.sum()), len(right), resampler.confidence, rows_needed=MINIMUM_ROWS),
            "pseudo_perplexity": pseudo_perplexity(surprise, resampler),
        }
    return {**found, "baselines": figures}


def _exponential(surprise: Array) -> float:
    return float(np.exp(surprise.mean())) if len(surprise) else float("nan")


def _figures(answers: WordAnswers, chosen: Any, drawn: Any, resampler: Resampler) -> dict[str, Any]:
    words = int(chosen.sum())

    def top(role: str, count: int) -> Figure:
        return share(int(answers.scores[role].hits(count)[chosen].sum()), words, resampler.confidence, rows_needed=MINIMUM_ROWS)

    found = {}
    for role in ROLES:
        if role not in answers.scores:
            found[role] = dict.fromkeys(("top1", "top5", "pseudo_perplexity"), Figure.not_measured())
            continue
        perplexity = pseudo_perplexity(answers.surprise[role][drawn], resampler)
        found[role] = {"top1": top(role, 1), "top5": top(role, 5), "pseudo_perplexity": perplexity}
    return {"masked_words": words, "words": int(drawn.sum()), **found}
