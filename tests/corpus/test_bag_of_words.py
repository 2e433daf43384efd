from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus import bag_of_words
from compactlm.corpus.bag_of_words import STOP_WORDS, to_bag_of_words

PIECES = ["&lt;", "<b>", "``", "\u200b", "\x00", " ", "\n", "\u2019", "don't", "cannot", "I'm", "A", "e", "\u0301", "\ufb01", "\u0130"]
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))


@given(TEXTS)
def test_a_bag_of_words_is_lower_case_letters_without_stop_words(text: str) -> None:
    words = to_bag_of_words(text).split()
    assert all(word.isalpha() or not word.isascii() for word in words)
    assert not STOP_WORDS & set(words)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", max_size=80), st.sampled_from(["cannot go", "gonna", "'", "wanna lemme gimme"]))
def test_the_short_way_through_plain_text_gives_the_tokenizers_tokens(text: str, more: str) -> None:
    plain = f"{text} {more}".replace("'", "")
    assert bag_of_words._tokens(plain) == bag_of_words._TOKENIZER.tokenize(plain)
