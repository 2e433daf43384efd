"""Find the tokens that matter for a prediction: mask each token in turn and measure how the predicted label's probability changes.

This is occlusion sensitivity (Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901). [MASK] replaces the token, because it keeps the
length of the text, and the model knows [MASK] from pretraining.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch

from compactlm.bert.models import classify
from compactlm.draws import draw_items
from compactlm.evaluation.classifier import Reader
from compactlm.evaluation.paired import Answers


@dataclasses.dataclass(frozen=True)
class Occlusion:
    """The effect of each token of a text on a prediction.

    Attributes:
        spans: start and end of each token in the text [tokens].
        changes: how much the probability of the predicted label falls without the token [tokens]. A positive value supports the label.
    """

    spans: tuple[tuple[int, int], ...]
    changes: tuple[float, ...]


def draw_errors(answers: Answers, role: str, count: int, seed: int) -> list[int]:
    """Return the positions of up to `count` random rows that a model gets wrong, drawn by (seed, id), in the order of the draw."""
    wrong = [at for at, right in enumerate(answers.right(role)) if not right]
    return draw_items(wrong, count, "errors", seed, key=lambda at: answers.ids[at])


def occlude(reader: Reader, texts: Sequence[str], predicted: Sequence[int]) -> list[Occlusion]:
    """Mask each token of each text in turn; texts are truncated at the maximum length of the classifier.

    `predicted` has the id of the label whose probability is measured, for each text.
    """
    tokenizer = reader.tokenizer
    read = tokenizer(list(texts), truncation=True, max_length=reader.maximum_length, return_offsets_mapping=True)
    sequences: list[list[int]] = read["input_ids"]
    inner = [range(1, len(sequence) - 1) for sequence in sequences]  # between [CLS] and [SEP]
    masked = [
        [*sequence[:at], tokenizer.mask_token_id, *sequence[at + 1 :]]
        for sequence, places in zip(sequences, inner, strict=True)
        for at in places
    ]
    logits = classify(reader.model, [*sequences, *masked], reader.batch_tokens, "errors, token by token")
    likely = torch.softmax(logits.double(), dim=1)
    found, start = [], len(sequences)
    for row, (places, label) in enumerate(zip(inner, predicted, strict=True)):
        without = likely[start : start + len(places), label]
        changes = tuple((likely[row, label] - without).tolist())
        found.append(Occlusion(tuple(tuple(read["offset_mapping"][row][at]) for at in places), changes))
        start += len(places)
    return found
