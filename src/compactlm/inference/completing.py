"""Complete a text: add masks at its end and fill them from left to right.

A masked language model is not trained to generate text, so completions are short and loose. In each step it fills the first of a few masks
at the end of the text. (Wang and Cho 2019, "BERT has a mouth, and it must speak", fill masks in several orders.)
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.inference.arguments import check_number, check_seed, check_whole
from compactlm.inference.runtime.model import Model

LOOK_AHEAD = 4  # the number of masks after the one that is filled; with fewer, the model expects the end of the text and writes full stops
MOST_BEAMS = 64  # each beam needs a row of scores as long as the vocabulary
NO_REPEAT = 3  # the length of token sequences that are not repeated
MOST_REPEATS = 2  # a word is added at most so often


@dataclasses.dataclass(frozen=True)
class Completion:
    """A completed text.

    Attributes:
        text: the given text and the added text.
        added: the added text.
        pieces: the added tokens.
        score: the mean log-probability of the added tokens, in nats, at temperature 1.
    """

    text: str
    added: str
    pieces: list[str]
    score: float


@dataclasses.dataclass
class _Beam:
    ids: list[int]
    score: float = 0.0


def complete(
    model: Model, text: str, length: int = 12, temperature: float = 0.0, top_k: int = 20, beams: int = 1, seed: int = 0
) -> list[Completion]:
    """Add tokens to the end of a text.

    Args:
        model: the masked language model.
        text: the text; if it is longer than the model accepts, only its end is used.
        length: number of tokens to add.
        temperature: with 0, each step takes the likeliest token (or searches with beams); above 0, tokens are sampled.
        top_k: the number of likeliest tokens to sample from.
        beams: the number of texts that are kept at each step. All of them are returned, the likeliest first.
        seed: the seed of the sampling.

    Raises:
        CompactLMError: the text has [MASK], a number is out of range, or both beams and a temperature are given.
    """
    _check(length, temperature, top_k, beams, seed)
    tokenizer = model.tokenizer
    given = tokenizer.encode([text])[0][1:-1]
    if tokenizer.mask in given:
        raise CompactLMError("the text has [MASK], but `complete` adds to its end; use `fill` for masks inside a text")
    longest = tokenizer.limit - LOOK_AHEAD - 3
    if length > longest:
        raise CompactLMError(f"length is {length} but the model accepts {tokenizer.limit} tokens at once; pass {longest} or less")
    generator = np.random.default_rng(seed)
    kept = [_Beam([])]
    for step in range(length):
        masks = min(length - step, 1 + LOOK_AHEAD)
        scores = _next(model, given, [beam.ids for beam in kept], masks)
        if temperature > 0:
            kept = [_draw(beam, row, temperature, top_k, generator) for beam, row in zip(kept, scores, strict=True)]
        else:
            kept = _best(kept, scores, beams)
    return [_completion(model, text, given, beam) for beam in kept]


def _check(length: int, temperature: float, top_k: int, beams: int, seed: int) -> None:
    check_seed(seed)
    check_whole("length", length, 1)
    check_whole("top_k", top_k, 1)
    check_number("temperature", temperature, 0)
    check_whole("beams", beams, 1, MOST_BEAMS)
    if beams > 1 and temperature > 0:
        raise CompactLMError("beam search does not sample; pass either beams or a temperature")


def _next(model: Model, given: Sequence[int], added: Sequence[Sequence[int]], masks: int) -> Array:
    """Return log-probabilities of the next token of each text, float64 [texts, vocabulary]; -inf for excluded tokens."""
    tokenizer = model.tokenizer
    texts = [[*given, *ids] for ids in added]
    width = tokenizer.limit - 2 - masks
    sequences = [tokenizer.framed([*ids[-width:], *[tokenizer.mask] * masks]) for ids in texts]
    scores = np.empty((len(texts), tokenizer.size))
    for rows, logits in model.masked_logits(sequences, [len(sequence) - masks - 1 for sequence in sequences]):
        values = logits.astype(np.float64)
        values -= values.max(axis=1, keepdims=True)
        scores[rows] = values - np.log(np.exp(values).sum(axis=1, keepdims=True))
    for row, ids, own in zip(scores, texts, added, strict=True):
        row[list(_excluded(model, ids) | _repeating(model, own))] = -np.inf
    return scores


def _excluded(model: Model, ids: Sequence[int]) -> set[int]:
    """Return the tokens that may not come next: special tokens, and tokens that would repeat NO_REPEAT tokens in a row."""
    tokenizer = model.tokenizer
    excluded = set(tokenizer.special)
    if not ids or not tokenizer.token(ids[-1])[-1:].isalnum():  # there is no word to continue or to end
        excluded |= tokenizer.continuations | tokenizer.marks
    before = tuple(ids[-(NO_REPEAT - 1) :])
    if len(before) == NO_REPEAT - 1:
        for start in range(len(ids) - NO_REPEAT + 1):
            if tuple(ids[start : start + NO_REPEAT - 1]) == before:
                excluded.add(ids[start + NO_REPEAT - 1])
    return excluded


def _words(model: Model, ids: Sequence[int]) -> list[str]:
    """Return the words of token ids, without punctuation marks."""
    words: list[str] = []
    for index in ids:
        token = model.tokenizer.token(index)
        if index in model.tokenizer.continuations and words:
            words[-1] += token[2:]
        elif index not in model.tokenizer.marks:
            words.append(token.removeprefix("##"))
    return words


def _repeating(model: Model, added: Sequence[int]) -> set[int]:
    """Return the tokens that would add a word for the third time, or the same two words twice in a row.

    A token may begin a new word or, as a continuation, change the last word into a word that was added before.
    """
    words = _words(model, added)
    counts = collections.Counter(words)
    refused = {word for word, count in counts.items() if count >= MOST_REPEATS}
    begun = refused | ({words[-2]} if len(words) > 2 and words[-3] == words[-1] else set())
    found = {model.tokenizer.library.token_to_id(word) for word in begun}
    if words:
        last = words[-1]
        continued = {word for word, count in counts.items() if count - (word == last) >= MOST_REPEATS}
        continued |= {words[-3]} if len(words) > 3 and words[-4] == words[-2] else set()
        stems = (word for word in continued if word.startswith(last) and word != last)
        found |= {model.tokenizer.library.token_to_id(f"##{stem[len(last) :]}") for stem in stems}
    return {index for index in found if index is not None}


def _draw(beam: _Beam, scores: Array, temperature: float, top_k: int, generator: np.random.Generator) -> _Beam:
    best = np.argsort(-scores, kind="stable")[:top_k]
    best = best[np.isfinite(scores[best])]
    weights = np.exp((scores[best] - scores[best[0]]) / temperature)
    chosen = int(generator.choice(best, p=weights / weights.sum()))
    return _Beam([*beam.ids, chosen], beam.score + float(scores[chosen]))


def _best(kept: Sequence[_Beam], scores: Array, beams: int) -> list[_Beam]:
    longer = [
        _Beam([*beam.ids, int(index)], beam.score + float(row[index]))
        for beam, row in zip(kept, scores, strict=True)
        for index in np.argsort(-row, kind="stable")[:beams]
    ]
    return sorted(longer, key=lambda beam: -beam.score)[:beams]


def _completion(model: Model, text: str, given: Sequence[int], beam: _Beam) -> Completion:
    tokenizer = model.tokenizer
    before, whole = tokenizer.join(given), tokenizer.join([*given, *beam.ids])
    # The library joins punctuation to the word before it. If that changed the given text, the new tokens are joined alone.
    added = whole[len(before) :] if whole.startswith(before) else " " + tokenizer.join(beam.ids)
    stem = text.rstrip()
    added = added if stem else added.lstrip()
    return Completion(stem + added, added, [tokenizer.token(index) for index in beam.ids], beam.score / max(len(beam.ids), 1))
