"""Extractive summaries: the sentences of a text that are central to it, without saying the same thing twice."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.inference.embedding import SentenceEmbedding

DAMPING = 0.85
LEAD = 0.5  # how fast the weight of a place falls from the start of the text
AT_ONCE = 2048  # sentences of which all pairs are compared; of more the pairs would fill the memory
LEAST_WORDS = 4  # a shorter sentence says too little by itself

# A full stop after these ends no sentence.
_ABBREVIATIONS = "mr mrs ms dr prof st sr jr vs etc inc ltd co fig gen col sgt capt lt rev hon jan feb apr aug sep sept oct nov dec"
_BEFORE = re.compile(rf"(?:\b(?:{'|'.join(_ABBREVIATIONS.split())}|[a-z]|e\.g|i\.e|u\.s|u\.k)\.)$", re.IGNORECASE)
_CLOSING, _OPENING = r"[\"'\u201d\u2019)\]]", r"[\"'\u201c\u2018(\[]"
_MARK = r"[.!?\u2026]"
# A run of marks is tried once, from its start, and never given back: else a text of marks alone would take the square of its length.
_END = re.compile(rf"((?<!{_MARK}){_MARK}++{_CLOSING}*)\s++(?={_OPENING}?[^\Wa-z_])|\n\s*\n")
LONGEST_BEFORE = 8  # characters of an abbreviation, with its full stop


@dataclasses.dataclass(frozen=True)
class Sentence:
    """A sentence of a summary: its place among the text's sentences, from 0, and its centrality; those of a text add up to 1."""

    text: str
    position: int
    centrality: float


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, each on one line.

    A sentence ends at a mark that a capital, a digit or a letter without case follows, except after common abbreviations and
    initials, and at an empty line.
    """
    sentences, start = [], 0
    for match in _END.finditer(text):
        end = match.end(1) if match.group(1) else match.start()
        if match.group(1) == "." and _BEFORE.search(text, max(start, end - LONGEST_BEFORE), end):
            continue
        sentences.append(text[start:end])
        start = match.end()
    sentences.append(text[start:])
    return [joined for sentence in sentences if (joined := " ".join(sentence.split()))]


def summarize(embedding: SentenceEmbedding, text: str, count: int = 3) -> list[Sentence]:
    """Return `count` different sentences of a text (or all, where there are fewer), in the order of the text.

    Centrality is LexRank (Erkan and Radev 2004) on the similarities of sentence embeddings, with random jumps that prefer
    the start of the text; a sentence near one that was chosen counts for less (after Carbonell and Goldstein 1998).

    Raises:
        CompactLMError: the text has no sentence.
    """
    sentences = split_sentences(text)
    if not sentences:
        raise CompactLMError("the text is empty, so there is nothing to summarize; name a file with sentences")
    vectors = embedding.embed(sentences).astype(np.float64)
    scores = _scores(vectors, [len(sentence.split()) for sentence in sentences])
    repeated = _repeated(sentences)
    chosen = _choose(scores, vectors, min(count, len(sentences) - len(repeated)), repeated)
    return [Sentence(sentences[position], position, float(scores[position])) for position in sorted(chosen)]


def _scores(vectors: Array, lengths: Sequence[int]) -> Array:
    """Return each sentence's centrality, float64 [sentences]; in a text of more than AT_ONCE sentences that among its neighbours."""
    parts = np.array_split(np.arange(len(lengths)), -(-len(lengths) // AT_ONCE))
    scores = np.zeros(len(lengths))
    for rows in parts:
        similarities = np.clip(vectors[rows] @ vectors[rows].T, 0, 1)
        places = _places([lengths[row] for row in rows], int(rows[0]))
        scores[rows] = centrality(similarities, places) * (len(rows) / len(lengths))
    return scores


def _places(lengths: Sequence[int], first: int) -> Array:
    """Return the weights of the places of sentences from the place `first` on; a sentence of few words has little."""
    weights = 1 / (1 + LEAD * np.arange(first, first + len(lengths)))
    weights[np.array(lengths) < LEAST_WORDS] *= 0.01
    return weights / weights.sum()


def centrality(similarities: Array, places: Array) -> Array:
    """Return the stationary probabilities of a walk from sentence to sentence, float64 [sentences].

    Args:
        similarities: 0 or more, [sentences, sentences].
        places: where a jump leads, a distribution over sentences.
    """
    weights = similarities.copy()
    np.fill_diagonal(weights, 0)
    totals = weights.sum(axis=1, keepdims=True)
    steps = np.where(totals > 0, weights / np.where(totals > 0, totals, 1), places[None, :])
    scores: Array = places
    for _ in range(100):
        before, scores = scores, DAMPING * scores @ steps + (1 - DAMPING) * places
        if np.abs(scores - before).sum() < 1e-9:
            break
    return scores


def _repeated(sentences: Sequence[str]) -> list[int]:
    """Return the places of the sentences that stood before, upper and lower case alike."""
    seen: set[str] = set()
    places = []
    for place, sentence in enumerate(map(str.casefold, sentences)):
        if sentence in seen:
            places.append(place)
        seen.add(sentence)
    return places


def _choose(scores: Array, vectors: Array, count: int, barred: Sequence[int]) -> list[int]:
    """Return the sentences of the greatest scores, each discounted by its similarity with the nearest one chosen before."""
    chosen: list[int] = []
    nearness = np.zeros(len(scores))
    while len(chosen) < count:
        marginal = scores * (1 - nearness)
        marginal[[*barred, *chosen]] = -np.inf
        best = int(marginal.argmax())
        chosen.append(best)
        nearness = np.maximum(nearness, np.clip(vectors @ vectors[best], 0, 1))
    return chosen
