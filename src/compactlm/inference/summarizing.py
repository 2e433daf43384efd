"""Extractive summaries: the central sentences of a text, without near-repetitions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.inference.arguments import check_whole
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.text.sentences import split_sentences

# Chosen by ROUGE on validation rows of XSum; LEAD is the rate at which the weight of a position falls from the start of the text.
DAMPING = 0.4
LEAD = 4
AT_ONCE = 2048  # all pairs of this many sentences are compared; more pairs would fill the memory
LEAST_WORDS = 4  # shorter sentences rarely make sense alone


@dataclasses.dataclass(frozen=True)
class Sentence:
    """A sentence of a summary, its position in the text, from 0, and its centrality. The centralities of all sentences sum to 1."""

    text: str
    position: int
    centrality: float


def summarize(embedding: SentenceEmbedding, text: str, count: int = 3, at_once: int = AT_ONCE) -> list[Sentence]:
    """Return `count` different sentences of a text (or all, if there are fewer), in the order of the text.

    Centrality is LexRank (Erkan and Radev 2004) on the similarities of sentence embeddings, with random jumps that prefer the start of the
    text. Sentences that are similar to a chosen one are discounted (Carbonell and Goldstein 1998). A text of more than `at_once` sentences
    is scored in parts.

    Raises:
        CompactLMError: the text has no sentence, or `count` is less than 1.
    """
    check_whole("the number of sentences", count, 1)
    sentences = split_sentences(text)
    if not sentences:
        raise CompactLMError("the text is empty, so there is nothing to summarize; pass a text with sentences")
    vectors = embedding.embed(sentences).astype(np.float64)
    scores = _scores(vectors, [len(sentence.split()) for sentence in sentences], at_once)
    first = {sentences[position].casefold(): position for position in reversed(range(len(sentences)))}
    repeated = sorted(set(range(len(sentences))) - set(first.values()))
    chosen = _choose(scores, vectors, min(count, len(first)), repeated)
    return [Sentence(sentences[position], position, float(scores[position])) for position in sorted(chosen)]


def _scores(vectors: Array, lengths: Sequence[int], at_once: int) -> Array:
    """Return the centrality of each sentence, float64 [sentences]. Each part of a long text is scored separately."""
    scores = np.zeros(len(lengths))
    for rows in np.array_split(np.arange(len(lengths)), -(-len(lengths) // at_once)):
        similarities = np.clip(vectors[rows] @ vectors[rows].T, 0, 1)
        jumps = _jumps([lengths[row] for row in rows], int(rows[0]))
        scores[rows] = centrality(similarities, jumps) * (len(rows) / len(lengths))
    return scores


def _jumps(lengths: Sequence[int], first: int) -> Array:
    """Return the jump probabilities of sentences, starting at position `first`: high at the start, low for short sentences."""
    weights = 1 / (1 + LEAD * np.arange(first, first + len(lengths)))
    weights[np.array(lengths) < LEAST_WORDS] *= 0.01
    return weights / weights.sum()


def centrality(similarities: Array, jumps: Array) -> Array:
    """Return the stationary probabilities of a random walk over sentences, float64 [sentences].

    Args:
        similarities: non-negative, [sentences, sentences].
        jumps: the probabilities of random jumps, [sentences].
    """
    weights = similarities.copy()
    np.fill_diagonal(weights, 0)
    totals = weights.sum(axis=1, keepdims=True)
    steps = np.where(totals > 0, weights / np.where(totals > 0, totals, 1), jumps[None, :])
    scores: Array = jumps
    for _ in range(100):
        before, scores = scores, DAMPING * scores @ steps + (1 - DAMPING) * jumps
        if np.abs(scores - before).sum() < 1e-9:
            break
    return scores


def _choose(scores: Array, vectors: Array, count: int, excluded: Sequence[int]) -> list[int]:
    """Choose the sentences with the largest scores, each discounted by its largest similarity with a chosen one."""
    chosen: list[int] = []
    similarity = np.zeros(len(scores))
    while len(chosen) < count:
        # Squared, so that related sentences lose little and repetitions nearly everything.
        marginal = scores * (1 - similarity**2)
        marginal[[*excluded, *chosen]] = -np.inf
        best = int(marginal.argmax())
        chosen.append(best)
        similarity = np.maximum(similarity, np.clip(vectors @ vectors[best], 0, 1))
    return chosen
