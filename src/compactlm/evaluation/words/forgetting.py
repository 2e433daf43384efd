"""How much general language knowledge a model loses in fine-tuning.

The body of the task's model gets the head of the masked language model and predicts the same masked words as the masked language model
itself. The two bodies need not have the same origin: a student may start from weights inherited from the fine-tuned teacher. The figure
therefore measures how far apart the two bodies are, whatever the cause.
"""

from __future__ import annotations

import copy

from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.bert.mask_scores import Scores
from compactlm.evaluation.limits import KEPT
from compactlm.figures.bootstrap import Resampler, share
from compactlm.figures.figure import MINIMUM_ROWS, Figure


def with_body_of(classifier: BertForSequenceClassification, masked_lm: BertForMaskedLM) -> BertForMaskedLM:
    """Return a masked language model with the body of the classifier and the head of the given masked language model.

    The head keeps its own output matrix, which a masked language model usually shares with its embeddings.
    """
    joined = copy.deepcopy(masked_lm)
    joined.bert = classifier.bert
    return joined


def not_measured() -> dict[str, Figure]:
    """Return the figures of `forgetting` for a model without a head for masked words. None of them is judged."""
    return dict.fromkeys(("before", "after", "kept", "surprise"), Figure.not_measured())


def forgetting(before: Scores, after: Scores, resampler: Resampler) -> dict[str, Figure]:
    """Compare a masked language model with the task's body under its head, on the same masked words.

    Returns:
        `before` and `after` (the share of words that are the model's first choice), `kept` (after divided by before), and `surprise` (the
        mean increase of a word's negative log probability, in nats).
    """
    known, still = before.hits(1), after.hits(1)
    words, needed = len(known), {"rows_needed": MINIMUM_ROWS}
    return {
        "before": share(int(known.sum()), words, resampler.confidence, **needed),
        "after": share(int(still.sum()), words, resampler.confidence, **needed),
        "kept": resampler.ratio(still, known, limit=KEPT, **needed),
        "surprise": resampler.mean(before.log_probabilities - after.log_probabilities, **needed),
    }
