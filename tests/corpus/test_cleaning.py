import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus import cleaning
from compactlm.corpus.bag_of_words import STOP_WORDS, to_bag_of_words
from compactlm.corpus.cleaning import Drop, clean_text, filters_of
from compactlm.params import Clean

BERT = filters_of(Clean(profile="bert", minimum_characters=2, maximum_characters=300))
BAG = filters_of(Clean(profile="bag-of-words", minimum_characters=2, maximum_characters=300))
PIECES = ["&lt;", "&amp;", "amp;", "<b>", "</p >", "<", ">", "<!--", "-->", "&#0;", "''", "`", "\u200b", "\x1b[31m", "\x00", " ", "\n"]
PIECES += ["\u00c3\u00a9", "\u2019", "don't", "cannot", "I'm", "A", "http://x", "e", "\u0301", "\ufb01", "\ufffd", "\u0130"]
PIECES += ["{\\displaystyle ", "}", "("]
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("It cost \u00c2\u00a35 at the caf\u00c3\u00a9", "It cost \u00a35 at the caf\u00e9"),
        ("cafe\u0301 society", "caf\u00e9 society"),
        ("Kohlberg &amp;amp; Company", "Kohlberg & Company"),
        ("A&E; stays, I &lt;3 you", "A&E; stays, I <3 you"),
        ("<p>Two<br/>lines, <b>bold</b>ly</p>", "Two lines, boldly"),
        ("seen &lt;i&gt;twice&lt;/i&gt;", "seen twice"),
        ("a <!-- not <b> this --> b <script>x < y</script> c", "a b c"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("zero\u200bwidth\ufeff and\x00 bell\x07 \x1b[31mred", "zerowidth and bell red"),
        ("the new ''Conan'' and ``Rule.''", 'the new "Conan" and "Rule."'),
        ("a `70s film", "a '70s film"),
        ("  white \t\n space\u00a0folded ", "white space folded"),
        ("see http://url_removed now", "see now"),
        ("so ( n ) (\\displaystyle (\\mathbf (r))=c_(1)) holds", "so ( n ) holds"),
        ("Keeps Case, stop words & punctuation!", "Keeps Case, stop words & punctuation!"),
        ("", Drop.EMPTY),
        ("\u200b<br>", Drop.EMPTY),
        ("x", Drop.TOO_SHORT),
        ("x" * 301, Drop.TOO_LONG),
    ],
)
def test_the_bert_profile(dirty: str, clean: str) -> None:
    assert clean_text(dirty, BERT) == clean


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("The <b>Movie</b> wasn't 100% GOOD, was it?", "movie good"),
        ("I cannot see the well-made caf\u00e9", "see well made caf\u00e9"),
        ("gonna, now", "gon na"),
        ("gonna sing", "gon na sing"),
        ("It is not what they were", Drop.EMPTY),
    ],
)
def test_the_bag_of_words_profile(dirty: str, clean: str) -> None:
    assert clean_text(dirty, BAG) == clean


@pytest.mark.parametrize("filters", [BERT, BAG], ids=["bert", "bag-of-words"])
@given(text=TEXTS)
def test_cleaning_is_idempotent_and_keeps_its_promises(filters: list[cleaning.Filter], text: str) -> None:
    clean = clean_text(text, filters)
    if isinstance(clean, Drop):
        assert clean in {Drop.EMPTY, Drop.TOO_SHORT, Drop.TOO_LONG}
        return
    assert clean_text(clean, filters) == clean
    assert 2 <= len(clean) <= 300
    assert clean == " ".join(clean.split()) == unicodedata.normalize("NFC", clean)
    assert not {unicodedata.category(character) for character in clean} & {"Cc", "Cf", "Cs", "Co"}
    assert any(not character.isspace() for character in text)


@given(TEXTS)
def test_a_bag_of_words_is_lower_case_letters_without_stop_words(text: str) -> None:
    words = to_bag_of_words(text).split()
    assert all(word.isalpha() or not word.isascii() for word in words)
    assert not STOP_WORDS & set(words)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", max_size=80), st.sampled_from(["cannot go", "gonna", "'", "wanna lemme gimme"]))
def test_the_short_way_through_plain_text_gives_the_tokenizers_tokens(text: str, more: str) -> None:
    from compactlm.corpus import bag_of_words

    plain = f"{text} {more}".replace("'", "")
    assert bag_of_words._tokens(plain) == bag_of_words._TOKENIZER.tokenize(plain)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_ascii_needs_no_repair(text: str) -> None:
    # The filters that follow do what ftfy would do to ASCII, so to leave it out changes nothing.
    rest = BERT[1:]
    assert clean_text(text, BERT) == clean_text(cleaning.ftfy.fix_text(text, cleaning._REPAIR), rest)
