import functools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm import artifacts
from compactlm.corpus.augment import parallel
from compactlm.corpus.augment import words as augment_words
from compactlm.corpus.augment.copies import (
    AUGMENTERS,
    Augmentation,
    WordSource,
    augment,
    changed_share,
    keep_labels,
    make_rewriters,
    summarise,
)
from compactlm.corpus.augment.reserved import Reserved
from compactlm.params import Augment
from tests.corpus.proposing import FixedProposer
from tests.fixtures.builders import make_row

WORDS = ("warm", "cold", "film", "very", "##ing", "3d", "quite", "never", "two")
EQUAL = dict.fromkeys(AUGMENTERS, 1 / len(AUGMENTERS))


document = functools.partial(make_row, source="reviews", label="positive")


def make(rows, copies=2, seed=7, shares=EQUAL, proposer=None, share_of_words=0.2, reserved=(), processes=1):
    settings = Augment(
        copies=copies, synonyms="masked_words", shares=shares, share_of_words=share_of_words, reserved=reserved, labels="report"
    )
    rewriters = make_rewriters(
        settings, [row.text for row in ROWS], WordSource(proposer=proposer or FixedProposer(*WORDS)), ["actors"], processes
    )
    return augment(rows, settings, seed, rewriters)


ROWS = [
    document(1, "It's a film of the U.S.A. (a good one), and I really believe that it's because of the actors.", queries=("is it good",)),
    document(2, "The Rock is DESTINED to be the 21st Century's new hero, they definitely say."),
    document(3, "A separate story with beautiful people who receive their friends until the beginning of tomorrow."),
]


def test_copies_name_their_parent_keep_its_label_and_are_counted():
    result = make(ROWS, copies=5)
    parents = {row.id: row for row in ROWS}
    assert len(result.copies) + sum(result.dropped.values()) == result.requested == 15
    assert len(result.copies) > 9
    assert len({copy.id for copy in result.copies}) == len(result.copies)
    for copy in result.copies:
        parent = parents[copy.parent]
        assert (copy.source, copy.document, copy.task, copy.label) == (parent.source, parent.document, parent.task, parent.label)
        assert copy.augmenter in AUGMENTERS
        assert copy.queries == ()
        assert copy.text.lower() != parent.text.lower()
        assert len(copy.id) == 32
    summary = summarise(ROWS, result, AUGMENTERS)
    assert (summary["rows"], summary["requested"], summary["copies"]) == (3, 15, len(result.copies))
    assert summary["dropped"] == result.dropped
    assert sum(summary["by_augmenter"].values()) == len(result.copies)
    assert all(0 < share["value"] <= 1 for share in summary["changed_words"].values())
    assert make([document(1, ROWS[0].text, label=None), document(2, ROWS[1].text, parent="0" * 32)]).copies == []


def test_each_augmenter_calls_the_model_once_with_all_rows():
    proposer = FixedProposer(*WORDS)
    assert make(ROWS, copies=0, proposer=proposer).copies == []
    assert proposer.calls == []
    make(ROWS, copies=3, shares={"synonym": 0.5, "insert": 0.5}, proposer=proposer)
    assert len(proposer.calls) == 2


@given(st.permutations(ROWS), st.integers(0, 2**70))
def test_the_copies_of_a_row_do_not_depend_on_other_rows(rows, seed):
    together = make(rows, seed=seed).copies
    alone = [copy for row in ROWS for copy in make([row], seed=seed).copies]
    assert together == sorted(alone, key=lambda copy: copy.id)


def test_copies_depend_on_the_seed_and_neither_read_nor_change_the_global_generators():
    random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = make(ROWS, seed=1).copies
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002
    random.seed(2)
    assert make(ROWS, seed=1).copies == first != make(ROWS, seed=2).copies


@given(
    st.lists(st.sampled_from(["It's", "U.S.A.", "(good)", "cast,", "'tis", "a", "really", "21st", "--", "don\u2019t", "films"]), min_size=1)
)
def test_swapping_and_deleting_keep_words_and_punctuation(words):
    text = " ".join(words)
    swapped = augment_words.SwapAug(0.3).rewrite([text], [3])[0]
    assert sorted(word.lower() for word in swapped.split()) == sorted(word.lower() for word in words)
    deleted = augment_words.DeleteAug(0.3).rewrite([text], [3])[0]
    # If the first word is deleted, nlpaug capitalises the next one.
    assert {word.lower() for word in deleted.split()} <= {word.lower() for word in words}
    assert len(deleted.split()) >= 1


@given(st.text())
def test_splitting_for_misspellings_keeps_every_character(text):
    assert "".join(augment_words.split_everything(text)) == text


def test_misspelling_changes_a_share_of_the_words_in_place():
    text = "It's because (they receive) beautiful, separate friends until tomorrow."
    misspelt = augment_words.MisspellingAug(0.25).rewrite([text], [1])[0]
    assert changed_share(text, misspelt) == pytest.approx(2 / 9)
    assert misspelt.startswith("It's")
    assert misspelt.endswith(".")


def test_misspellings_are_sorted_and_are_not_words():
    dictionary = augment_words.MisspellingAug(0.1).model.dict
    assert "god" not in dictionary["good"]
    assert "goood" in dictionary["good"]
    assert all(misspellings == sorted(misspellings) for misspellings in dictionary.values())


@pytest.mark.parametrize(
    ("text", "augmenter", "copies", "same_as_original", "same_as_other_copy"),
    [("Wow", "delete", [], 6, 0), ("good film", "swap", ["Film good"], 0, 5)],
)
def test_equal_copies_are_dropped_and_counted(text, augmenter, copies, same_as_original, same_as_other_copy):
    result = make([document(1, text)], copies=6, shares={augmenter: 1.0})
    assert [copy.text for copy in result.copies] == copies
    assert result.dropped == {"empty": 0, "same_as_original": same_as_original, "same_as_other_copy": same_as_other_copy}


def test_a_copy_that_is_neither_kept_nor_counted_is_an_error():
    result = make(ROWS, copies=4)
    kept = keep_labels(result, {copy.id: copy.text.startswith("A") for copy in result.copies})
    assert kept.requested == 12 == len(kept.copies) + sum(kept.dropped.values())
    assert kept.dropped["label_changed"] == len(result.copies) - len(kept.copies) > 0
    with pytest.raises(RuntimeError, match=r"12 copies were requested, but \d+ are left and 1 were counted as dropped"):
        Augmentation(result.copies[1:-1], {"empty": 1}, 12)


def test_shares_are_respected():
    rows = [document(number, ROWS[0].text) for number in range(300)]
    names = [copy.augmenter for copy in make(rows, copies=1, shares={"swap": 0.8, "delete": 0.2}).copies]
    assert set(names) == {"swap", "delete"}
    assert 0.7 < names.count("swap") / len(names) < 0.9


@pytest.mark.slow
def test_two_processes_make_the_same_bytes_as_one(monkeypatch, tmp_path):
    rows = [document(number, f"{row.text} It has {number} minutes.") for number, row in enumerate(ROWS * 20)]
    one = make(rows, copies=3, processes=1)
    assert make(rows, copies=3, seed=8).copies != one.copies
    monkeypatch.setattr(parallel, "CHUNK", 7)
    monkeypatch.setattr(parallel.WordSettings, "make", lambda *_: pytest.fail("this process made an augmenter"))
    two = make(rows, copies=3, processes=2)
    assert {copy.augmenter for copy in one.copies} == set(AUGMENTERS)
    for name, result in (("one", one), ("two", two)):
        artifacts.write_documents(tmp_path / name, result.copies)
    assert (tmp_path / "one/part-00000.parquet").read_bytes() == (tmp_path / "two/part-00000.parquet").read_bytes()
    assert one.dropped == two.dropped


def test_tfidf_inserts_words_of_the_corpus_and_keeps_punctuation():
    texts = ["a film of the year", "the story of a river", "the film, of course"]
    rewriter = augment_words.CorpusTfIdfAug(0.3, texts=texts)
    known = {word for text in texts for word in text.replace(",", "").split()}
    for seed in range(20):
        copy = rewriter.rewrite(["the film, of course"], [seed])[0]
        assert copy.count(",") == 1
        assert {word.lower() for word in copy.replace(",", "").split()} <= known
    assert len({rewriter.rewrite(["the film, of course"], [seed])[0] for seed in range(20)}) > 5
    assert rewriter.rewrite(["unknown words"], [1]) == ["unknown words"]
    assert augment_words.CorpusTfIdfAug(0.3, texts=["one text alone"]).rewrite(["one text"], [1])[0] != ""
    assert augment_words.CorpusTfIdfAug(0.3).rewrite(["one text"], [1]) == ["one text"]


@pytest.mark.parametrize("augmenter", AUGMENTERS)
def test_reserved_words_are_neither_changed_nor_inserted(augmenter):
    row = document(1, "We saw Anna Smith and her 3 actors; they did not act well, and two films weren't good at all.")
    kinds = ("names", "numbers", "negations", "protected")
    for seed in range(12):
        for copy in make([row], copies=2, seed=seed, shares={augmenter: 1.0}, share_of_words=0.5, reserved=kinds).copies:
            found = [word.strip(";,.") for word in copy.text.split()]
            kept = ["Anna", "Smith", "3", "actors", "not", "two", "weren't"]
            assert [word for word in found if word in kept] == kept


@pytest.mark.parametrize(("augmenter", "text"), [("keyboard", "be me many give"), ("spelling", "a film that you can see")])
def test_a_misspelling_is_never_a_reserved_word(augmenter, text):
    reserved = Reserved(("numbers", "negations", "protected"), ["he", "mr", "man"])
    free, held = (
        augment_words.WORD_AUGMENTERS[augmenter](1.0, reserves).rewrite([f" {text} "] * 200, range(200))
        for reserves in (Reserved(()), reserved)
    )
    assert any(reserved.is_listed(word) for copy in free for word in copy.split())
    assert not any(reserved.is_listed(word) for copy in held for word in copy.split())
    assert all(len(copy.split()) == len(text.split()) for copy in held)
    assert len(set(held)) > 50


@pytest.mark.parametrize(("copy", "share"), [("a b c d", 0.0), ("a x c d", 0.25), ("a b c d e", 0.25), ("a c d", 0.25), ("x y z", 1.0)])
def test_changed_share(copy, share):
    assert changed_share("a b c d", copy) == share
