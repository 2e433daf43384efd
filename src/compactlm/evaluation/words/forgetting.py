"""What a model that was fine-tuned for a task has forgotten of language in general.

The body of the task's model is put under the head of the masked language model, which stays as it is, and is asked for the same
masked words as the masked language model itself. A task's model need not have begun as that masked language model (a student
may start from weights inherited from the fine-tuned teacher, and a teacher's head may have been fitted apart), so the figure says how
far the two bodies lie apart, however they came to.
"""

from __future__ import annotations

import copy

from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.bert.masked_lm import Scores
from compactlm.figures.intervals import ratio_interval
from compactlm.figures.judging import judged
from compactlm.figures.quality import retention


def with_body_of(classifier: BertForSequenceClassification, masked_lm: BertForMaskedLM) -> BertForMaskedLM:
    """Return a masked language model of the classifier's body and the head that the masked language model has.

    The head's matrix, which a masked language model shares with its embeddings, stays that of the masked language model.
    """
    joined = copy.deepcopy(masked_lm)
    joined.bert = classifier.bert
    return joined


def forgetting(before: Scores, after: Scores, resamples: int, seed: int) -> dict[str, object]:
    """Return the share of masked words that are the first choice before and after fine-tuning, and what was kept of it.

    Args:
        before: of the masked language model.
        after: of the task's body under its head, for the same words.
        resamples: of the bootstrap.
        seed: of the resamples.

    Returns:
        `before` and `after`, `kept` (after over before, with a 95 % interval; nan where nothing was known before), and `surprise`,
        the mean of what was added to a word's negative log probability, in nats.
    """
    known, still = before.hits(1), after.hits(1)
    share_before, share_after = float(known.mean()), float(still.mean())
    found = ratio_interval(still, known, resamples, seed).as_metrics()
    return {
        "before": share_before,
        "after": share_after,
        "kept": {**found, "value": retention(share_after, share_before)},
        "surprise": float((before.log_probabilities - after.log_probabilities).mean()),
        "judged": judged(len(known)),
    }
