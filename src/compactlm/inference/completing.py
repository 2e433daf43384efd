"""Go on writing: masks after a text are filled one by one, from left to right.

A masked language model is no generator: it is asked for the first of a few masks at the end of the text (Wang and Cho
2019, "BERT has a mouth, and it must speak", fill masks in several orders), so what it writes is short and loose.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.model import Model
from compactlm.inference.seeds import check_seed

LOOK_AHEAD = 4  # masks after the one that is filled: with few the model sees the text end, and writes full stops
MOST_BEAMS = 64  # each is a row of scores as long as the vocabulary, and of each as many go on
NO_REPEAT = 3  # pieces in a row that are not written twice


@dataclasses.dataclass(frozen=True)
class Completion:
    """A text that was gone on with.

    Attributes:
        text: the given text and what was added.
        added: what was added.
        pieces: the added pieces.
        score: the mean log-probability of the added pieces, in nats, under the model without temperature.
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
    """Go on with a text.

    Args:
        model: the masked language model.
        text: the text; of one that is longer than the model reads the end is read.
        length: pieces to add.
        temperature: 0 takes the likeliest piece each time (or searches by beams); above 0 pieces are drawn.
        top_k: the likeliest pieces that are drawn from.
        beams: how many texts are kept at each step; all of them are returned, the likeliest first.
        seed: of the draw.

    Raises:
        CompactLMError: the text has [MASK], a number is out of its range, or beams are asked for together with a temperature.
    """
    _check(length, temperature, top_k, beams, seed)
    given = model.pieces.encode([text])[0][1:-1]
    if model.pieces.mask in given:
        raise CompactLMError("the text has [MASK], and `complete` writes at its end; use `fill` for masks inside a text")
    if beams > 1 and temperature > 0:
        raise CompactLMError("beam search looks for the likeliest text and draws nothing; give either beams or a temperature")
    if length + LOOK_AHEAD + 3 > model.pieces.limit:
        raise CompactLMError(f"the model reads {model.pieces.limit} pieces at once; ask for {model.pieces.limit - LOOK_AHEAD - 3} or fewer")
    generator = np.random.default_rng(seed)
    kept = [_Beam([])]
    for step in range(length):
        masks = min(length - step, 1 + LOOK_AHEAD)
        scores = _next(model, [[*given, *beam.ids] for beam in kept], masks)
        if temperature > 0:
            kept = [_draw(beam, row, temperature, top_k, generator) for beam, row in zip(kept, scores, strict=True)]
        else:
            kept = _best(kept, scores, beams)
    return [_completion(model, text, given, beam) for beam in kept]


def _check(length: int, temperature: float, top_k: int, beams: int, seed: int) -> None:
    check_seed(seed)
    if length < 1 or top_k < 1 or not temperature >= 0:
        raise CompactLMError(
            f"length {length}, top_k {top_k} and temperature {temperature} cannot all be used; give 1 or more, 1 or more and 0 or more"
        )
    if not 1 <= beams <= MOST_BEAMS:
        raise CompactLMError(f"{beams} beams cannot be searched with; give 1 to {MOST_BEAMS}")


def _next(model: Model, texts: Sequence[Sequence[int]], masks: int) -> Array:
    """Return log-probabilities of the piece that comes next, float64 [texts, vocabulary]; -inf for pieces that may not come."""
    pieces = model.pieces
    width = pieces.limit - 2 - masks
    sequences = [pieces.framed([*ids[-width:], *[pieces.mask] * masks]) for ids in texts]
    scores = np.empty((len(texts), pieces.size))
    for rows, logits in model.masked_logits(sequences, [len(sequence) - masks - 1 for sequence in sequences]):
        values = logits.astype(np.float64)
        values -= values.max(axis=1, keepdims=True)
        scores[rows] = values - np.log(np.exp(values).sum(axis=1, keepdims=True))
    for row, ids in zip(scores, texts, strict=True):
        row[list(_excluded(model, ids))] = -np.inf
    return scores


def _excluded(model: Model, ids: Sequence[int]) -> set[int]:
    """Return the pieces that may not come next: special ones, and those that would repeat NO_REPEAT pieces in a row."""
    pieces = model.pieces
    excluded = set(pieces.special)
    if not ids or not pieces.piece(ids[-1])[-1:].isalnum():  # nothing that a word's end could be joined to, or that a mark could end
        excluded |= pieces.continuations | pieces.marks
    before = tuple(ids[-(NO_REPEAT - 1) :])
    if len(before) == NO_REPEAT - 1:
        for start in range(len(ids) - NO_REPEAT + 1):
            if tuple(ids[start : start + NO_REPEAT - 1]) == before:
                excluded.add(ids[start + NO_REPEAT - 1])
    return excluded


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
    before, whole = model.pieces.join(given), model.pieces.join([*given, *beam.ids])
    # The library joins marks to the words before them; where that changed the given text too, the new pieces stand alone.
    added = whole[len(before) :] if whole.startswith(before) else " " + model.pieces.join(beam.ids)
    stem = text.rstrip()
    added = added if stem else added.lstrip()
    return Completion(stem + added, added, [model.pieces.piece(index) for index in beam.ids], beam.score / max(len(beam.ids), 1))
