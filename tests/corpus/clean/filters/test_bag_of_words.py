import re

from hypothesis import given
from hypothesis import strategies as st
from nltk.tokenize import word_tokenize

from compactlm.corpus.clean.filters.bag_of_words import STOP_WORDS, to_bag_of_words

TOKENS = ["&lt;", "<b>", "``", "\u200b", "\x00", " ", "\n", "\u2019", "don't", "cannot", "I'm", "A", "e", "\u0301", "\ufb01", "\u0130"]
TOKENS += ["caf\u00e9", "\u2014", "\u0660", "\u4e2d\u6587", "\u00a0", "\u2160"]
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(TOKENS), max_size=12).map("".join))


@given(TEXTS, st.sampled_from(["", " cannot go", " gonna", " '", " wanna lemme gimme gotta", " we won't, she don\u2019t", " GONNA\u0130"]))
def test_a_bag_of_words_has_the_lower_case_words_of_nltk_without_stop_words_and_is_idempotent(text: str, more: str) -> None:
    letters = re.sub(r"[\W\d_]", " ", (text + more).lower())
    words = [word for word in word_tokenize(letters, preserve_line=True) if word not in STOP_WORDS]
    assert to_bag_of_words(text + more) == " ".join(words) == to_bag_of_words(" ".join(words))
