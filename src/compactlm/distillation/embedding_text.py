"""The texts from which the student learns sentence embeddings, and the pairs of a query and its passage.

People embed passages, sentences, questions, phrases and single words, so there are texts of all these kinds. They come from the train rows
and from the student's vocabulary. The split has already removed queries that are similar to held-out text.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal

from compactlm.artifacts import Document, derived_id
from compactlm.corpus.queries import cut_words, passages_with_queries
from compactlm.draws import draw_generator, draw_items
from compactlm.params import EmbeddingSignals
from compactlm.text.sentences import split_sentences

Kind = Literal["passage", "query", "row", "sentence", "phrase", "word"]
SENTENCE_WORDS = (3, 60)  # shorter sentences are headings and fragments; longer ones are most often lists
PHRASE_WORDS = (2, 5)
# Words without punctuation between them. A match starts at the start of a word, so that the time grows in proportion to the text.
_WORDS = r"[^\W_]++(?>(?:['\u2019-][^\W_]++)*)"
_RUN = re.compile(rf"(?<![^\W_])(?<![^\W_]['\u2019-]){_WORDS}(?>(?: {_WORDS})+)")
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclasses.dataclass(frozen=True, slots=True)
class EmbeddingText:
    """Distinct texts, sorted by id.

    Attributes:
        ids: the id of each text: 32 hexadecimal digits that depend only on the text.
        texts: the texts.
        kinds: the kind of each text; a text of several kinds has the first one in the order passage, query, row, sentence, phrase, word.
        pairs: for each pair, the positions of the query and of its passage in `texts`; sorted.
    """

    ids: list[str]
    texts: list[str]
    kinds: list[Kind]
    pairs: list[tuple[int, int]]


def embedding_text(
    rows: Sequence[Document], vocabulary: Iterable[str], amounts: EmbeddingSignals, seed: int, paired: Collection[str] | None = None
) -> EmbeddingText:
    """Draw the texts of each kind, and return them with the pairs. The result does not depend on the order of the rows.

    Augmented copies are left out. If there are fewer texts of a kind than its amount, all are taken.

    Args:
        rows: the train rows.
        vocabulary: the student's tokens; tokens that are whole words serve as texts.
        amounts: `passages` passages (rows with queries first), `questions` of their queries, `rows` whole rows
            without queries, `sentences`, `phrases` of 2 to 5 words out of sentences, and `words` single words.
        seed: the seed of all draws.
        paired: the sources whose queries make pairs; None takes all. Queries of other sources are not used at all.
    """
    originals = [row for row in rows if row.parent is None]
    passages, pairs = _passages(originals, amounts, seed, paired)
    short = (row.text for row in originals if not row.queries and len(row.text.split()) <= amounts.passage_words)
    sentences = [sentence for row in originals for sentence in split_sentences(row.text) if _is_sentence(sentence)]
    around = _draw(sentences, amounts.phrases, "phrase", seed)  # each gives one phrase
    words = (token for token in vocabulary if _WORD.fullmatch(token))
    drawn: list[tuple[Kind, Iterable[str]]] = [
        ("passage", passages),
        ("query", [query for query, _ in pairs]),
        ("row", _draw(short, amounts.rows, "row", seed)),
        ("sentence", _draw(sentences, amounts.sentences, "sentence", seed)),
        ("phrase", (phrase for sentence in around for phrase in _phrases(sentence, seed))),
        ("word", _draw(words, amounts.words, "word", seed)),
    ]
    kinds: dict[str, Kind] = {}
    for kind, texts in drawn:
        for text in texts:
            kinds.setdefault(text, kind)
    known = sorted((derived_id("embedding", text), text) for text in kinds)
    places = {text: place for place, (_, text) in enumerate(known)}
    return EmbeddingText(
        ids=[name for name, _ in known],
        texts=[text for _, text in known],
        kinds=[kinds[text] for _, text in known],
        pairs=sorted((places[query], places[passage]) for query, passage in pairs),
    )


def _passages(
    rows: Sequence[Document], amounts: EmbeddingSignals, seed: int, paired: Collection[str] | None
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the drawn passages, and the drawn pairs of a query and a passage."""
    asked = passages_with_queries(rows, amounts.passage_words, paired)
    own = {passage.id for passage in asked}
    chosen = draw_items(asked, amounts.passages, "embedding passage", seed, key=lambda passage: passage.text)
    every = ((query, passage.text) for passage in chosen for query in passage.queries)
    pairs = draw_items(every, amounts.questions, "embedding question", seed, key="\0".join)
    long = (
        cut_words(row.text, amounts.passage_words) for row in rows if row.id not in own and len(row.text.split()) > amounts.passage_words
    )
    others = _draw(long, amounts.passages - len(chosen), "passage", seed)
    return [*(passage.text for passage in chosen), *others], pairs


def _draw(texts: Iterable[str], count: int, kind: Kind, seed: int) -> list[str]:
    return draw_items(dict.fromkeys(" ".join(text.split()) for text in texts), count, f"embedding {kind}", seed, key=lambda text: text)


def _is_sentence(text: str) -> bool:
    return SENTENCE_WORDS[0] <= len(text.split()) <= SENTENCE_WORDS[1]


def _phrases(sentence: str, seed: int) -> Iterator[str]:
    """Yield one phrase of a sentence, drawn by the seed, without punctuation inside; nothing if no two words are adjacent."""
    runs = [run.split() for run in _RUN.findall(sentence)]
    if runs:
        generator = draw_generator("embedding phrase of", seed, sentence)
        words = generator.choices(runs, [len(run) for run in runs])[0]
        size = generator.randint(PHRASE_WORDS[0], min(PHRASE_WORDS[1], len(words)))
        start = generator.randint(0, len(words) - size)
        yield " ".join(words[start : start + size])
