import pytest

from compactlm.inference.search.overlap import overlaps, trigrams


def test_trigrams_have_letters_and_digits_in_lower_case():
    assert trigrams("A1,  Ok?") == {" a1", "a1 ", "1 o", " ok", "ok "}
    assert trigrams("") == trigrams(" ?!") == set()


def test_a_misspelt_question_shares_most_letters_with_its_own():
    texts = ["How do I reset my password?", "How do I cancel my order?", "Where is the shop?"]
    found = overlaps("how do i rest my pasword", texts)
    assert found.argmax() == 0
    assert overlaps(texts[1].upper(), texts)[1] == pytest.approx(1)
    assert overlaps("", texts).tolist() == [0, 0, 0]


def test_rare_letters_count_more():
    texts = ["the red cat", "the red dog", "the red owl", "a blue zebra"]
    red, zebra = overlaps("the red zebra", texts)[[0, 3]]
    assert zebra > red
