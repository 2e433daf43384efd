import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.tasks.tags.carrying import carry_tags, continued

WORDS = "Kim Lee flew to New York City .".split()
TAGS = "B-per B-per O O B-loc I-loc I-loc O".split()
BIOES = "S-per S-per O O B-loc I-loc E-loc O".split()


@pytest.mark.parametrize(
    ("tag", "words", "tags"),
    [
        ("O", 2, "O O"),
        ("NOUN", 2, "NOUN NOUN"),
        ("B-x", 3, "B-x I-x I-x"),
        ("I-x", 2, "I-x I-x"),
        ("S-x", 1, "S-x"),
        ("S-x", 3, "B-x I-x E-x"),
        ("E-x", 2, "I-x E-x"),
        ("B-x", 0, ""),
    ],
)
def test_the_words_that_a_word_becomes_are_in_its_entity(tag: str, words: int, tags: str) -> None:
    assert continued(tag, words) == tags.split()


@pytest.mark.parametrize(
    ("new", "tags", "bioes"),
    [
        ("Kim Lee flew to New York City .", "B-per B-per O O B-loc I-loc I-loc O", "S-per S-per O O B-loc I-loc E-loc O"),
        ("Kim Lee went to New York City .", "B-per B-per O O B-loc I-loc I-loc O", "S-per S-per O O B-loc I-loc E-loc O"),
        ("Kim Lee to New York City", "B-per B-per O B-loc I-loc I-loc", "S-per S-per O B-loc I-loc E-loc"),
        ("Kim Lee flew to York City .", "B-per B-per O O B-loc I-loc O", "S-per S-per O O B-loc E-loc O"),
        ("Kim Lee flew to City .", "B-per B-per O O B-loc O", "S-per S-per O O S-loc O"),
        ("Kim Lee flew to NYC .", "B-per B-per O O B-loc O", "S-per S-per O O S-loc O"),
        ("Kim and Lee flew to New York City .", "B-per O B-per O O B-loc I-loc I-loc O", "S-per O S-per O O B-loc I-loc E-loc O"),
        ("Kim Lee New York City .", "B-per B-per B-loc I-loc I-loc O", "S-per S-per B-loc I-loc E-loc O"),
        ("Lee flew to New York City .", None, None),
        ("KimLee flew to New York City .", None, None),
        ("Kim Lee flew to New and York City .", None, None),
        ("Kim Lee flew to New York Citystop", None, None),
    ],
)
def test_tags_follow_their_words(new: str, tags: str | None, bioes: str | None) -> None:
    assert carry_tags(WORDS, TAGS, new.split()) == (None if tags is None else tags.split())
    assert carry_tags(WORDS, BIOES, new.split()) == (None if bioes is None else bioes.split())


def test_plain_tags_are_kept_where_it_is_clear_whose_they_are() -> None:
    assert carry_tags(["a", "b", "c"], ["X", "Y", "Y"], ["a", "bc"]) == ["X", "Y"]
    assert carry_tags(["a", "b"], ["X", "Y"], ["b"]) == ["Y"]
    assert carry_tags(["a", "b"], ["X", "Y"], ["ab"]) is None
    assert carry_tags(["a", "b"], ["X", "Y"], ["a", "n", "b"]) is None


def test_words_in_order_keep_their_tags_one_by_one() -> None:
    assert carry_tags(["a", "b"], ["O", "B-x"], ["c", "d"], in_order=True) == ["O", "B-x"]
    assert carry_tags(["a", "b"], ["O", "B-x"], ["c", "d"]) is None


LABELLED = st.lists(
    st.tuples(st.text("abc", min_size=1, max_size=2), st.sampled_from(["O", "B-x", "I-x", "B-y", "I-y", "E-x", "S-x", "N"])), max_size=8
)


@given(LABELLED, st.lists(st.text("abcd", min_size=1, max_size=2), max_size=8))
def test_every_word_has_a_tag_and_no_entity_is_lost(labelled: list[tuple[str, str]], new: list[str]) -> None:
    words, tags = [word for word, _ in labelled], [tag for _, tag in labelled]
    carried = carry_tags(words, tags, new)
    if carried is not None:
        assert len(carried) == len(new)
        assert {tag[1:] for tag in carried if "-" in tag} == {tag[1:] for tag in tags if "-" in tag}


@given(LABELLED, st.data())
def test_words_that_are_outside_of_entities_can_go_without_moving_a_label(labelled: list[tuple[str, str]], data: st.DataObject) -> None:
    numbered = [(f"{word}{number}", tag) for number, (word, tag) in enumerate(labelled)]
    kept = [pair for pair in numbered if pair[1] not in ("O", "N") or data.draw(st.booleans())]
    carried = carry_tags([word for word, _ in numbered], [tag for _, tag in numbered], [word for word, _ in kept])
    assert carried == [tag for _, tag in kept]


@given(LABELLED)
def test_equal_words_keep_all_tags(labelled: list[tuple[str, str]]) -> None:
    words, tags = [word for word, _ in labelled], [tag for _, tag in labelled]
    assert carry_tags(words, tags, words) == tags
