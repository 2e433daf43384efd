import re

from hypothesis import given
from hypothesis import strategies as st
from nltk.tokenize import word_tokenize

from compactlm.corpus.clean.filters.bag_of_words import STOP_WORDS, to_bag_of_words

TOKENS = ["&lt;", "<b>", "``", "\u200b", "\x00", " ", "\n", "\u2019", "don't", "cannot", "I'm", "A", "e", "\u0301", "\ufb01", "\u0130"]
TOKENS += ["caf\u00e9", "\u2014", "\u0660", "\u4e2d\u6587", "\u00a0", "\u2160"]
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(TOKENS), max_size=12).map("".join))


@given(TEXTS)
def test_a_bag_of_words_is_lower_case_letters_without_stop_words(text: str) -> None:
    words = to_bag_of_words(text).split()
    assert all(word.isalpha() or not word.isascii() for word in words)
    assert not STOP_WORDS & set(words)


@given(TEXTS, st.sampled_from(["cannot go", "gonna", "'", "wanna lemme gimme gotta", "we won't, she don\u2019t", "GONNA\u0130"]))
def test_the_words_are_those_of_the_recipe_by_nltk(text: str, more: str) -> None:
    letters = re.sub(r"[\W\d_]", " ", f"{text} {more}".lower())
    recipe = [word for word in word_tokenize(letters, preserve_line=True) if word not in STOP_WORDS]
    assert to_bag_of_words(f"{text} {more}") == " ".join(recipe)


@given(TEXTS)
def test_a_bag_of_words_of_a_bag_of_words_is_the_same(text: str) -> None:
    assert to_bag_of_words(to_bag_of_words(text)) == to_bag_of_words(text)
