"""A tag for each word: names, or parts of speech."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from compactlm.tasks.answers import Tags
from compactlm.tasks.base import IGNORED, NOWHERE, UNLABELLED, AnyRow, Array, Example, Kind, Row, Segmenter, Settings, Target, Task
from compactlm.tasks.base.reading import joined
from compactlm.tasks.base.training import inverse_frequencies
from compactlm.tasks.tags import metrics
from compactlm.tasks.tags.carrying import carry_tags
from compactlm.tasks.tags.schemes import OUTSIDE, entities, full_tags, scheme, split_tag, write_tags
from compactlm.tasks.tags.windows import word_tokens, word_windows
from compactlm.tasks.tags.words import find_words

if TYPE_CHECKING:
    from torch import Tensor


class Tagging(Kind):
    """Tags are those of a scheme (BIO, BIOES) or plain, such as parts of speech. Answers are one Tags a row.

    `labels` lists the tags. With the metric entity_f1 it may list types of entities instead; the model then has the BIO tags of these
    types, and rows may have those of either scheme. A long row becomes several windows, so every word has an answer.
    """

    name = "tagging"
    architecture = "BertForTokenClassification"
    per_token = True
    pipeline_tag = "token-classification"
    main_metrics = ("entity_f1", "token_accuracy")
    further_metrics = ("entity_precision", "entity_recall")
    fields = ("tags",)
    answer_type = Tags

    def problems(self, task: Task) -> Iterator[str]:
        """See Kind.problems."""
        yield from super().problems(task)
        if task.pair:
            yield "pair is true, but the kind tagging reads the words of one text; remove it"
        if scheme(task.labels):
            if OUTSIDE not in task.labels:
                yield f"labels lists the tags of a scheme without {OUTSIDE}, the tag of words outside entities; add it"
        elif task.metric == "entity_f1":
            marked = [label for label in task.labels if label == OUTSIDE or (split_tag(label)[0] in "BIES" and split_tag(label)[1])]
            if marked:
                other = next((label for label in task.labels if label not in marked), marked[0])
                yield (
                    f"labels lists {marked[0]!r} beside {other!r}; list only tags (O, B-person, I-person), or only types of entities "
                    "(person), or set metric to token_accuracy"
                )

    def names(self, task: Task) -> list[str]:
        """Return the tags."""
        return list(task.labels) if task.metric == "token_accuracy" else full_tags(task.labels)

    def metric_of_model(self, labels: Sequence[str]) -> str:
        """Return token_accuracy for plain tags, such as parts of speech."""
        return "entity_f1" if scheme(labels) else "token_accuracy"

    def invalid(self, row: Row, task: Task) -> str | None:
        """See Kind.invalid."""
        words, tags = self.words(row), row.tags or ()
        if len(words) != len(tags):
            return f"the row has {len(words):,} words but {len(tags):,} tags"
        known = set(self.names(task))
        unknown = [tag for tag in self.tags(row, task) if tag not in known]
        return f"the tag {unknown[0]!r} is not one of {', '.join(self.names(task))}" if unknown else None

    def words(self, row: Row) -> tuple[str, ...]:
        """Return the words of a row, or those that are found in its text."""
        if row.words is not None:
            return row.words
        return tuple(row.text[start:end] for start, end in find_words(row.text))

    def tags(self, row: Row, task: Task) -> list[str]:
        """Return the tags of a labelled row in the scheme of the task."""
        tags = list(row.tags or ())
        if scheme(task.labels) or task.metric == "token_accuracy" or not scheme(tags):
            return tags
        return write_tags(entities(tags), len(tags))

    def encode(
        self, segmenter: Segmenter, rows: Sequence[Row], task: Task, maximum_length: int, *, places: bool = False
    ) -> list[list[Example]]:
        """Return the windows of each row (see Kind.encode). A word that is longer than a window is cut, and no other."""
        texts = [self.words(row) for row in rows]
        numbers = {tag: number for number, tag in enumerate(self.names(task))}
        overlap = maximum_length // 4 if task.stride is None else task.stride
        found = []
        for row, tokens in zip(rows, word_tokens(segmenter, texts), strict=True):
            tags = [UNLABELLED] * len(tokens) if row.tags is None else [numbers[tag] for tag in self.tags(row, task)]
            examples = []
            for window in word_windows(tokens, segmenter, maximum_length, overlap):
                target, place = [float(IGNORED)] * len(window.input_ids), [NOWHERE] * len(window.input_ids)
                for word, position in zip(window.words, window.positions, strict=True):
                    target[position], place[position] = float(tags[word]), (word, word + 1)
                examples.append(Example(window.input_ids, None, target, place if places else None))
            found.append(examples)
        return found

    def collate(self, targets: Sequence[Target | None], tokens: int) -> Array:
        """Return tags, int64 [rows, tokens]: IGNORED where no word begins, UNLABELLED at words without a tag."""
        found = np.full((len(targets), tokens), IGNORED, dtype=np.int64)
        for row, target in enumerate(targets):
            found[row, : len(target or ())] = target or ()
        return found

    def balanced(self, targets: Sequence[Target | None], task: Task) -> list[float] | None:
        """Return the inverse frequency of each tag among the words."""
        return inverse_frequencies((tag for target in targets for tag in target or () if tag >= 0), self.outputs(task))

    def hard_loss(
        self, logits: Tensor, batch: Mapping[str, Tensor], focal_gamma: float = 0.0, class_weights: Tensor | None = None
    ) -> Tensor:
        """Return the cross-entropy of the tags at the first token of each word; see Kind.hard_loss."""
        from compactlm.tasks.tags.losses import hard_tags

        return hard_tags(logits, batch["labels"], batch.get("weights"), focal_gamma, class_weights)

    def soft_loss(self, logits: Tensor, batch: Mapping[str, Tensor], temperature: float) -> Tensor:
        """Return the divergence from the teacher's distribution at the first token of each word; see Kind.soft_loss."""
        from compactlm.tasks.tags.losses import soft_tags

        return soft_tags(logits, batch["teacher_logits"], batch["labels"], temperature, batch.get("weights"))

    def answers(
        self,
        logits: Sequence[Sequence[Array]],
        examples: Sequence[Sequence[Example]],
        rows: Sequence[Row],
        task: Task,
        settings: Settings,
    ) -> list[Tags]:
        """Return the likeliest tag of each word (see Kind.answers)."""
        return [self._answer(*one, task) for one in zip(logits, examples, rows, strict=True)]

    def _answer(self, logits: Sequence[Array], examples: Sequence[Example], row: Row, task: Task) -> Tags:
        words, names = self.words(row), self.names(task)
        scores = np.zeros((len(words), len(names)))
        for window, outputs in zip(examples, logits, strict=True):
            answered = [(position, place[0]) for position, place in enumerate(window.places or ()) if place != NOWHERE]
            if answered:
                positions, numbers = map(list, zip(*answered, strict=True))
                scores[numbers] = outputs[positions]
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
        best = scores.argmax(axis=1)
        likeliest = (exponentials / exponentials.sum(axis=1, keepdims=True)).max(axis=1)
        return Tags(tuple(names[tag] for tag in best), tuple(likeliest.tolist()), words)

    def measure(
        self,
        answers: Sequence[Tags],
        rows: Sequence[Row],
        task: Task,
        weights: Array,
        settings: Settings,
        bins: int = 15,
    ) -> dict[str, Array]:
        """See Kind.measure and compactlm.tasks.tags.metrics."""
        counts = metrics.count([self.tags(row, task) for row in rows], [answer.tags for answer in answers])
        return metrics.metrics_of(weights @ counts)

    def chance(self, rows: Sequence[Row], task: Task, weights: Array) -> Array:
        """Return the metric of the best tag for all words."""
        expected = [self.tags(row, task) for row in rows]
        best = metrics.best_constant(expected, self.names(task), task.metric)
        return metrics.metrics_of(weights @ metrics.count(expected, [[best] * len(tags) for tags in expected]))[task.metric]

    def unchanged(self, answers: Sequence[Any], before: Sequence[Any], rows: Sequence[Row], task: Task) -> list[bool]:
        """Return whether the entities are of the same types in the same order, or plain tags the same."""
        said = [self._said(one.tags, task) for one in answers]
        return [one == self._said(other.tags, task) for one, other in zip(said, before, strict=True)]

    def flipped(self, answers: Sequence[Tags], before: Sequence[Tags], task: Task) -> Array:
        """Return whether a word has another tag than the word in its place (see Kind.flipped, carry_tags)."""
        return np.array([float(_moved(one, other)) for one, other in zip(answers, before, strict=True)])

    def _said(self, tags: Sequence[str], task: Task) -> list[str]:
        return [entity.kind for entity in entities(tags)] if scheme(self.names(task)) else list(tags)

    def strata(self, row: Row, task: Task) -> str:
        """Return the types of entities of the row; "" for plain tags, which every row has."""
        if not scheme(self.names(task)):
            return ""
        return joined(entity.kind for entity in entities(row.tags or ()))

    def editable(self, row: Row) -> str:
        """Return the words, separated by spaces."""
        return " ".join(self.words(row))

    def edited(self, row: AnyRow, text: str) -> AnyRow | None:
        """Return the row with other words, and its tags at those that stay; None where that is unclear (carry_tags)."""
        before, words = self.words(row), tuple(text.split())
        changes: dict[str, Any] = {"text": text, "words": words}
        if row.tags is not None:
            tags = carry_tags(before, row.tags, words, in_order=len(words) == len(before))
            if tags is None:
                return None
            changes["tags"] = tuple(tags)
        return dataclasses.replace(row, **changes)  # type: ignore[type-var]

    def outcome(self, answers: Any, rows: Sequence[Row], task: Task, favourable: str | None) -> Array | None:
        """Return the share of words of each row in an entity, or in one of the type `favourable`; of plain tags, with this tag.

        Plain tags without a favourable one have no outcome.
        """
        tags = [self.tags(row, task) for row in rows] if answers is None else [answer.tags for answer in answers]
        if not scheme(self.names(task)):
            return None if favourable is None else np.array([_share(tag == favourable for tag in one) for one in tags])
        return np.array([_share(tag != OUTSIDE and favourable in (None, tag, split_tag(tag)[1]) for tag in one) for one in tags])

    def show(self, answer: Tags, task: Task, settings: Settings) -> str:
        """Return each word outside no entity with its tag, or with plain tags every word."""
        return _line(answer.words, answer.tags)

    def to_json(self, answer: Tags, task: Task, settings: Settings) -> Any:
        """Return words, tags and their probabilities, and entities by their type, first word and the word after their last."""
        found = [{"type": kind, "start": start, "end": end} for kind, start, end in entities(answer.tags)]
        listed = {"words": list(answer.words), "tags": list(answer.tags), "probabilities": list(answer.probabilities)}
        return listed | ({"entities": found} if scheme(self.names(task)) else {})

    def expected(self, row: Row, task: Task) -> str:
        """Return each word with its tag."""
        return _line(self.words(row), self.tags(row, task))


def _line(words: Sequence[str], tags: Sequence[str]) -> str:
    """Return words with their tags, but for words outside entities."""
    return " ".join(word if tag == OUTSIDE else f"{word}/{tag}" for word, tag in zip(words, tags, strict=True))


def _moved(answer: Tags, before: Tags) -> bool:
    """Return whether an answer has other tags than one to similar words; an entity without a word in its place is another tag."""
    in_order = len(answer.words) == len(before.words)
    return carry_tags(before.words, before.tags, answer.words, in_order=in_order) != list(answer.tags)


def _share(marks: Any) -> float:
    """Return the share of true marks; 0 without marks."""
    listed = list(marks)
    return sum(listed) / max(len(listed), 1)
