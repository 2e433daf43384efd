"""All figures of several embeddings side by side."""

import dataclasses

import numpy as np

from compactlm.evaluation.embeddings.comparing import compare_embeddings
from compactlm.evaluation.embeddings.few_shot import make_few_shot
from compactlm.evaluation.embeddings.material import Material, draw_sentences
from compactlm.evaluation.embeddings.retrieval import Search
from compactlm.evaluation.embeddings.vectors import Cached
from compactlm.figures.bootstrap import Resampler
from compactlm.text.triples import Triple
from tests.fixtures.builders import make_row

RESAMPLER = Resampler(100, 1)


def embed(texts, words=6):
    found = np.zeros((len(texts), 26), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in text.split()[:words]:
            found[row, ord(word[0].lower()) % 26] += 1
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def material():
    labels = ("bad", "good") * 12
    rows = [make_row(at, f"{label} film of day {at}", "movie_reviews", label) for at, label in enumerate(labels)]
    return Material(
        search=Search(("cats purr", "dogs bark"), ("do cats purr", "do dogs bark"), (0, 1)),
        sentences=("all birds can fly", "big cats eat meat", "dogs eat meat", "every fish swims"),
        few_shot={"sentiment": make_few_shot(rows, rows[:6], "sentiment", [4], 2, 1)},
        suites={"opposites": [Triple("good day", "good dog", "bad night", "x")]},
    )


def test_every_contestant_has_every_figure():
    contestants = {"student": lambda texts: embed(texts, 2), "teacher": embed}
    found = compare_embeddings(contestants, {"tfidf": embed}, material(), RESAMPLER)
    names = {"found_at_1", "found_at_10", "spearman", "few_shot_4"}
    assert set(found) == {"student", "teacher", "kept", "context"}
    assert set(found["student"]) == set(found["teacher"]) == names
    assert set(found["kept"]) == {"student"}
    assert set(found["context"]) == {"opposites", "all"}
    assert set(found["context"]["all"]) == {"student", "teacher", "tfidf"}
    assert found["teacher"]["spearman"].value == 1
    assert found["teacher"]["found_at_1"].value == 1
    assert found["context"]["opposites"]["student"].value == 1


def test_figures_without_material_are_left_out():
    nothing = Material(Search((), (), ()), ("one sentence",), {}, {})
    found = compare_embeddings({"teacher": embed, "student": embed}, {}, nothing, RESAMPLER)
    assert found == {"teacher": {}, "student": {}, "kept": {"student": {}}, "context": {}}


def test_a_cached_embedding_reads_each_text_once():
    read = []

    def watched(texts):
        read.extend(texts)
        return embed(texts)

    cached = Cached(watched)
    first, again = cached(["a b", "c", "a b"]), cached(["c", "d", "a b"])
    assert read == ["a b", "c", "d"]
    assert (first[[1, 0]] == again[[0, 2]]).all()


def test_texts_of_the_material_are_listed_once():
    texts = material().texts()
    assert len(texts) == len(set(texts))
    assert {"cats purr", "do dogs bark", "dogs eat meat", "good dog", "bad film of day 0"} <= set(texts)


def test_sentences_are_drawn_by_the_seed_without_repeats_or_fragments():
    rows = [make_row(at, f"Too short. This is sentence number {at}. This one is in all rows.", "tweets") for at in range(9)]
    found = draw_sentences(rows, 6, 1)
    assert len(set(found)) == 6
    assert found == draw_sentences(rows[::-1], 6, 1) != draw_sentences(rows, 6, 2)
    assert len(draw_sentences(rows, 100, 1)) == 10
    long = dataclasses.replace(rows[0], text="word " * 61)
    assert draw_sentences([long], 5, 1) == []
