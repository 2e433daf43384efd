import random
from typing import Any

import pytest

from compactlm.artifacts import Document
from compactlm.distillation.embedding_text import EmbeddingText, embedding_text
from compactlm.params import EmbeddingSignals
from tests.fixtures.builders import scattered_row

VOCABULARY = ["[CLS]", "##ing", "cat", "a", "1990", "harbour", "don"]
LONG = "The harbour of the old town, which is small, lies in the north. It was built by fishermen in the last century. Is it deep?"
AMOUNTS: dict[str, Any] = {"passages": 50, "passage_words": 12, "questions": 50, "rows": 50, "sentences": 50, "phrases": 50, "words": 50}


def rows() -> list[Document]:
    return [
        scattered_row(1, LONG, queries=("where is the harbour", "who built it")),
        scattered_row(2, f"Another long row without any query. {LONG}"),
        scattered_row(3, "A short row with a label.", label="good"),
        scattered_row(4, "A short row with a copy.", parent="0" * 32, augmenter="swap"),
        scattered_row(5, "The town has two schools.", queries=("how many schools",)),
    ]


def read(rows: list[Document], seed: int = 1, **changed: int) -> EmbeddingText:
    amounts = EmbeddingSignals.model_construct(**AMOUNTS | changed)
    return embedding_text(rows, VOCABULARY, amounts, seed)


def of_kind(found: EmbeddingText, kind: str) -> set[str]:
    return {text for text, of in zip(found.texts, found.kinds, strict=True) if of == kind}


def test_texts_are_of_all_kinds() -> None:
    found = read(rows())
    first = "The harbour of the old town, which is small, lies in"
    assert of_kind(found, "passage") == {
        f"{first} the",
        "The town has two schools.",
        "Another long row without any query. The harbour of the old town,",
    }
    assert of_kind(found, "query") == {"where is the harbour", "who built it", "how many schools"}
    assert of_kind(found, "row") == {"A short row with a label."}
    sentences = {"The harbour of the old town, which is small, lies in the north.", "It was built by fishermen in the last century."}
    assert of_kind(found, "sentence") == {*sentences, "Another long row without any query.", "Is it deep?"}
    assert of_kind(found, "word") == {"cat", "harbour", "don"}
    phrases = of_kind(found, "phrase")
    assert len(phrases) > 3
    assert all(2 <= len(phrase.split()) <= 5 and any(phrase in row.text for row in rows()) for phrase in phrases)


def test_pairs_are_positions_of_queries_and_their_passages() -> None:
    found = read(rows())
    pairs = {(found.texts[query], found.texts[passage][:11]) for query, passage in found.pairs}
    assert pairs == {("where is the harbour", "The harbour"), ("who built it", "The harbour"), ("how many schools", "The town ha")}
    assert found.pairs == sorted(found.pairs)


def test_only_the_queries_of_the_paired_sources_are_used() -> None:
    amounts = EmbeddingSignals.model_construct(**AMOUNTS)
    other = scattered_row(7, f"In another source. {LONG}", source="t", queries=("did they",))
    found = embedding_text([*rows(), other], VOCABULARY, amounts, 1, paired=["s"])
    assert of_kind(found, "query") == of_kind(read(rows()), "query")
    assert "In another source. The harbour of the old town, which is small," in of_kind(found, "passage")


def test_each_text_is_listed_once_in_an_order_that_does_not_depend_on_the_rows() -> None:
    found = read(rows())
    assert found.ids == sorted(set(found.ids))
    assert len(found.ids) == len(set(found.texts))
    shuffled = rows()
    random.Random(2).shuffle(shuffled)
    assert read(shuffled) == found
    assert read([*rows(), scattered_row(6, " A  short row with a label. ")]) == found


@pytest.mark.parametrize(
    ("amount", "kind"),
    [("passages", "passage"), ("questions", "query"), ("rows", "row"), ("sentences", "sentence"), ("phrases", "phrase"), ("words", "word")],
)
def test_amounts_bound_each_kind_and_the_seed_draws(amount: str, kind: str) -> None:
    many = [scattered_row(number, f"The town number {number} is old and has {number} rooms. Is it {number}?") for number in range(40)]
    many += [scattered_row(number, f"{LONG} {number}", queries=(f"where is {number}",)) for number in range(40, 60)]
    vocabulary = ["".join(random.Random(number).choices("abcdefgh", k=6)) for number in range(40)]
    amounts = EmbeddingSignals.model_construct(**AMOUNTS | {"passages": 20, "passage_words": 80} | {amount: 10})
    first, second = (embedding_text(many, vocabulary, amounts, seed) for seed in (1, 2))
    assert len(of_kind(first, kind)) == 10 or (kind == "phrase" and 5 <= len(of_kind(first, kind)) < 10)  # phrases may be equal
    assert of_kind(first, kind) != of_kind(second, kind)
    assert len(first.pairs) == (10 if amount in ("passages", "questions") else 20)
