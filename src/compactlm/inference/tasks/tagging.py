"""Tag the words of texts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from compactlm.inference.runtime.model import Model
from compactlm.inference.tasks.encoding import encoder_of
from compactlm.inference.tasks.streaming import Encoded, Outputs, answers, stream
from compactlm.tasks.answers import Tags
from compactlm.tasks.base import Input
from compactlm.tasks.tags.schemes import entities, scheme
from compactlm.tasks.tags.words import find_words

TEXTS_AT_ONCE = 512  # this many texts are sorted by length together
KINDS = ("tagging",)


@dataclasses.dataclass(frozen=True)
class Word:
    """A word, the position of its first character and the position after its last, its tag, and the tag's probability, 0 to 1."""

    text: str
    start: int
    end: int
    tag: str
    probability: float


@dataclasses.dataclass(frozen=True)
class Entity:
    """An entity: its label, its text, the position of its first character and the position after its last, and its mean probability."""

    label: str
    text: str
    start: int
    end: int
    probability: float


@dataclasses.dataclass(frozen=True)
class Tagging:
    """The answer of a tagger.

    Attributes:
        text: the text.
        words: its words, in order.
        entities: the entities that the tags mark; None for tags that do not mark entities, such as parts of speech.
        unknown: whether at least half of the text is unknown to the vocabulary, or it has no tokens. The tags then mean little.
    """

    text: str
    words: list[Word]
    entities: list[Entity] | None
    unknown: bool


def as_row(text: str | Sequence[str]) -> Input:
    """Return a text, or the words of a text, as a row."""
    if not isinstance(text, str):
        return Input(" ".join(text), words=tuple(text))
    return Input(text, words=tuple(text[start:end] for start, end in find_words(text)))


def tag(model: Model, rows: Iterable[Input], rows_at_once: int = TEXTS_AT_ONCE) -> Iterator[Tagging]:
    """Yield the tags of each row of `as_row`, in order; see streaming.stream for the arguments. Texts are never truncated."""
    for encoded, outputs in stream(model, rows, encoder_of(model, rows_at_once), rows_at_once):
        yield from taggings(model, encoded, outputs)


def taggings(model: Model, encoded: Sequence[Encoded], outputs: Outputs) -> Iterator[Tagging]:
    """Yield the tags of each row, given the outputs of the model."""
    found = answers(model, encoded, outputs)
    marks_entities = scheme(model.directory.task.labels) is not None
    for one, answer in zip(encoded, found, strict=True):
        words = list(_words(one.row, answer))
        yield Tagging(one.row.text, words, _entities(one.row.text, words) if marks_entities else None, one.unknown)


def _words(row: Input, answer: Tags) -> Iterator[Word]:
    after = 0
    for word, name, probability in zip(answer.words, answer.tags, answer.probabilities, strict=True):
        start = row.text.index(word, after)  # words stand in the text in their order
        after = start + len(word)
        yield Word(word, start, after, name, probability)


def _entities(text: str, words: Sequence[Word]) -> list[Entity]:
    found = []
    for label, first, after in entities([word.tag for word in words]):
        own = words[first:after]
        start, end = own[0].start, own[-1].end
        found.append(Entity(label, text[start:end], start, end, sum(word.probability for word in own) / len(own)))
    return found
