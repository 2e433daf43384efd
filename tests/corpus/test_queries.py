from compactlm.artifacts import Document
from compactlm.corpus.queries import Passage, cut_words, passages_with_queries


def test_passages_are_cut_sorted_and_listed_once() -> None:
    rows = [
        Document("d", "s", "one two three five", "d", queries=("z?",)),
        Document("b", "s", "one  two three four", "b", queries=("a?", "c?")),
        Document("a", "t", "other text", "a", queries=("b?",)),
        Document("c", "s", "no query", "c"),
        Document("e", "s", "a copy", "b", parent="b", augmenter="keyboard", queries=("a?",)),
    ]
    first, second = Passage("a", "t", "other text", ("b?",)), Passage("b", "s", "one two three", ("a?", "c?", "z?"))
    assert passages_with_queries(rows, words=3) == [first, second]
    assert passages_with_queries(rows, words=3, sources=["t"]) == [first]
    assert [passage.text for passage in passages_with_queries(rows)] == ["other text", "one two three four", rows[0].text]


def test_words_are_cut_at_white_space() -> None:
    assert cut_words(" a\tb  c d", 3) == "a b c"
    assert cut_words("a b", 3) == "a b"
