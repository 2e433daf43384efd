"""The texts on which embeddings are compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from compactlm.artifacts import Document
from compactlm.draws import draw_items
from compactlm.evaluation.embeddings.few_shot import FewShot, make_few_shot
from compactlm.evaluation.embeddings.retrieval import Search, make_search
from compactlm.params import EmbeddingFigures
from compactlm.params.suites import Suite
from compactlm.text.sentences import split_sentences
from compactlm.text.triples import Triple, make_triples

SENTENCE_WORDS = (3, 60)  # the fewest and the most words of a sentence


@dataclasses.dataclass(frozen=True)
class Material:
    """Texts of the test split, train rows for few-shot classification by task, and triples by kind."""

    search: Search
    sentences: tuple[str, ...]
    few_shot: Mapping[str, FewShot]
    suites: Mapping[str, Sequence[Triple]]

    def texts(self) -> list[str]:
        """Return all distinct texts."""
        listed = [self.search.passages, self.search.queries, self.sentences]
        listed += [texts for rows in self.few_shot.values() for texts in (rows.texts, rows.test_texts)]
        listed += [(one.anchor, one.right, one.wrong) for triples in self.suites.values() for one in triples]
        return list(dict.fromkeys(text for texts in listed for text in texts))


def make_material(
    settings: EmbeddingFigures,
    train: Sequence[Document],
    test: Sequence[Document],
    tasks: Iterable[str],
    suites: Mapping[str, Suite],
    seed: int,
) -> Material:
    """Draw the texts by the seed and their ids."""
    return Material(
        search=make_search(test, settings.retrieval, settings.passage_words),
        sentences=tuple(draw_sentences(test, settings.sentences, seed)),
        few_shot={task: make_few_shot(train, test, task, settings.few_shot, settings.draws, seed) for task in tasks},
        suites={kind: make_triples(suite, "evaluate") for kind, suite in suites.items()},
    )


def draw_sentences(rows: Iterable[Document], count: int, seed: int) -> list[str]:
    """Return up to `count` distinct sentences of rows, drawn by (seed, text)."""
    low, high = SENTENCE_WORDS
    different = {sentence for row in rows for sentence in split_sentences(row.text) if low <= len(sentence.split()) <= high}
    return draw_items(different, count, "sentences of the embedding", seed, key=str)
