import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus.augment.perturbation import MARKS, PERTURBATIONS, make_perturbations, perturb

TEXT = "The acting isn't believable, because everybody receives separate directions; really a disappointment!"
TEXTS = st.lists(
    st.sampled_from("The film was REALLY good, because its beginning isn't believable ! 1999 a".split()), min_size=1, max_size=30
)


def perturbed(kind, texts=(TEXT,), ids=("row",), share=0.3, seed=1, strength="heavy"):
    return perturb(list(texts), list(ids), kind, make_perturbations(share)[kind], strength, seed)


def bare(text):
    return [word.strip(MARKS) for word in text.split()]


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_the_text_of_a_row_depends_only_on_its_text_id_seed_and_strength(kind):
    assert tuple(make_perturbations(0.1)) == PERTURBATIONS
    ids = [f"row{at}" for at in range(20)]
    found = perturbed(kind, [TEXT] * 20, ids)
    assert len(set(found)) > 1
    assert all(text != TEXT for text in found)
    random.seed(5)
    assert perturbed(kind, [TEXT] * 20, ids[::-1]) == found[::-1]
    assert perturbed(kind, [TEXT], [ids[7]]) == [found[7]]
    assert perturbed(kind, [TEXT] * 20, ids, seed=2) != found
    assert perturbed(kind, [TEXT] * 20, ids, strength="light") != found


@given(TEXTS, st.integers(0, 99))
def test_keyboard_errors_replace_single_letters(words, seed):
    text = " ".join(words)
    [found] = perturbed("keyboard", [text], share=0.3, seed=seed)
    assert len(found) == len(text)
    changed = sum(one != other for one, other in zip(text, found, strict=True))
    assert changed <= max(1, round(0.3 * len(words)))
    for one, other in zip(text.split(), found.split(), strict=True):
        assert sum(a != b for a, b in zip(one, other, strict=True)) <= 1
        assert all(a.islower() and b.isalpha() for a, b in zip(one, other, strict=True) if a != b)


@given(TEXTS, st.integers(0, 99))
def test_case_errors_change_only_letter_case(words, seed):
    text = " ".join(words)
    [found] = perturbed("case", [text], seed=seed)
    assert found.lower() == text.lower()
    changed = sum(one != other for one, other in zip(text.split(), found.split(), strict=True))
    with_letters = sum(any(letter.isalpha() for letter in word) for word in words)
    assert changed == min(with_letters, max(1, round(0.3 * len(words))))


@given(TEXTS, st.integers(0, 99))
def test_punctuation_errors_change_only_punctuation(words, seed):
    text = " ".join(words)
    [found] = perturbed("punctuation", [text], seed=seed)
    assert bare(found) == bare(text)
    if any(word.strip(MARKS) for word in words):
        assert found != text


def test_deleting_keeps_the_order_of_words_and_misspelling_keeps_their_number():
    [found] = perturbed("delete")
    words = iter(TEXT.lower().split())
    assert all(word in words for word in found.lower().split())
    assert len(found.split()) == len(TEXT.split()) - round(0.3 * len(TEXT.split()))
    [found] = perturbed("spelling")
    assert len(found.split()) == len(TEXT.split())


@pytest.mark.parametrize("kind", PERTURBATIONS)
@pytest.mark.parametrize("text", ["a", "!", "\u2026 \u00bf", "\u00df", "1999"])
def test_very_short_texts_are_perturbed_without_an_error(kind, text):
    assert perturbed(kind, [text]) != [""]
