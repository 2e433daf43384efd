"""Whether higher or lower values of a figure are better, by its name. Each name in reports/metrics is in one of the two tables."""

from __future__ import annotations

import re
from typing import Literal

from compactlm.tasks import KINDS

Direction = Literal["higher", "lower", "zero", "half", "parity"]  # the last three: the nearer the better; parity is a ratio of 1

DIRECTIONS: dict[str, Direction] = {
    "violated": "lower",
    "not_judged": "lower",
    "disparate_impact": "parity",
    "statistical_parity_difference": "zero",
    "paired_parity_difference": "zero",
    "equal_opportunity_difference": "zero",
    "average_odds_difference": "zero",
    "log_odds_gap": "zero",
    "preference": "half",
    "flips": "lower",
    "probability_change": "lower",
    "outcome_change": "lower",
    "log_loss": "lower",
    "calibration_error": "lower",
    "pseudo_perplexity": "lower",
    "surprise": "lower",
    "unknown_rate": "lower",
    "tokens_a_word": "lower",
    "parameters": "lower",
    "bytes": "lower",
    "ratio": "lower",
    "student_parameters": "lower",
    "student_bytes": "lower",
    "student_multiply_adds_a_token": "lower",
    "accuracy": "higher",
    "macro_f1": "higher",
    "matthews": "higher",
    "auroc": "higher",
    "top1": "higher",
    "top5": "higher",
    "kept": "higher",
    "worst_slice": "higher",
    "retention": "higher",
    "retention_above_chance": "higher",
    "agreement": "higher",
    "student_top1": "higher",
    "student_pseudo_perplexity": "lower",
    "found_at": "higher",
    "spearman": "higher",
    "few_shot": "higher",
    "context": "higher",
    "mean_average_precision": "higher",
    "micro_f1": "higher",
    "pearson": "higher",
    "mean_absolute_error": "lower",
    "entity_f1": "higher",
    "entity_precision": "higher",
    "entity_recall": "higher",
    "token_accuracy": "higher",
    "exact_match": "higher",
    "metric_loss": "lower",
    "f1": "higher",
    "validation_accuracy": "higher",
    **{f"validation_{metric}": "higher" for kind in KINDS.values() for metric in kind.main_metrics},
    "validation_top1": "higher",
    "validation_top1_retention": "higher",
    "validation_found_at_1": "higher",
    "validation_found_at_10": "higher",
}
VALIDATION = ("validation_accuracy", "validation_top1", "validation_top1_retention")  # figures at the end of a phase of training

# Figures for information: neither more nor less is better, or another figure decides. Data such as labels or sources are named below them.
INFORMATIONAL = frozenset(
    # texts
    "rows share characters words lengths labels vocabulary type_token_ratio distinct_1 distinct_2 distinct_3 self_bleu near_duplicate_rate "
    "dropped masked left_out documents queries duplicates near_duplicates groups rows_like_protected sources "
    # augmentation and tokens
    "copies requested asked originals by_augmenter changed_words wordnet cut_rows mean_length sequences tokens pieces pieces_a_word "
    "coverage "
    # training
    "loss hard soft hidden cosine mse components similarity_kl similarity_mse contrastive opposites decision_threshold "
    "no_answer_threshold gigabytes cached "
    # models
    "chance before after changed slices spread word_spread masked_words p significant teacher_alone student_alone "
    "teacher_parameters teacher_bytes teacher_multiply_adds_a_token teacher_top1 "
    "fitted_mlm_head "  # of older runs
    "baselines frequency_top1 frequency_pseudo_perplexity ngram_top1 ngram_pseudo_perplexity "
    # export
    "greatest_difference mean_cosine least_cosine gained lost int8_accuracy original_accuracy int8_metric original_metric "
    "no_answer_threshold "
    # fairness
    "base_rate mean_outcome likelier saturated pairs checks undecided status".split()
)
ACCURACY = re.compile(r"(^|\.)tasks\.\w+\.(student|teacher)$")  # the headline figures of a task
# These compare the student with its teacher. The student's own figure decides, and the gate checks amplification.
RELATIVE = ("amplification", "difference")
BASELINES = {"static", "tfidf"}  # embeddings that are measured for comparison alone
NUMBERED = re.compile(r"_\d+$")  # found_at_1 and found_at_10 are called found_at in the tables


def figure_name(key: str) -> str | None:
    """Return the name of a figure from its key: the last part of the key that is in one of the tables, or None."""
    if ACCURACY.search(key):
        return "accuracy"
    named = (name for part in reversed(key.split(".")) for name in (part, NUMBERED.sub("", part)))
    return next((name for name in named if name in DIRECTIONS or name in INFORMATIONAL), None)


def direction(key: str) -> Direction | None:
    """Return which values of a figure are better; None if neither higher nor lower values are."""
    name, parts = figure_name(key), key.split(".")
    return None if name is None or parts[-1] in RELATIVE or BASELINES.intersection(parts) else DIRECTIONS.get(name)
