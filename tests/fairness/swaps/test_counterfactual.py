import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from compactlm.fairness.groups import Lexicon
from compactlm.fairness.swaps.counterfactual import Swapper, make_counterfactuals
from compactlm.params import Attribute
from tests.fixtures.builders import make_row


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        # her: his before a noun phrase, him elsewhere
        ("she lost her book", "he lost his book"),
        ("they saw her", "they saw him"),
        ("they saw her.", "they saw him."),
        ("I gave her a book", "I gave him a book"),
        ("it drives her to despair", "it drives him to despair"),
        ("we love her and laugh", "we love him and laugh"),
        ("her own best film", "his own best film"),
        ("in her very first film", "in his very first film"),
        ("her increasingly odd friends", "his increasingly odd friends"),
        ("we loved her dearly", "we loved him dearly"),
        ("we loved her so much", "we loved him so much"),
        ("with her family", "with his family"),
        ("her acting is fine", "his acting is fine"),
        ("we watched her acting", "we watched him acting"),
        ("let her go", "let him go"),
        ("her past and her will", "his past and his will"),
        ("her was the word", "him was the word"),
        # her after a verb that takes more than an object
        ("it made her happy", "it made him happy"),
        ("it made her happy and rich", "it made him happy and rich"),
        ("it drives her crazy", "it drives him crazy"),
        ("it makes her smaller than them", "it makes him smaller than them"),
        ("you find her charming", "you find him charming"),
        ("it makes her appear foolish", "it makes him appear foolish"),
        ("the song made her cry", "the song made him cry"),
        ("we helped her find work", "we helped him find work"),
        ("they had her arrested in June", "they had him arrested in June"),
        ("they want her back in town", "they want him back in town"),
        ("they gave her flowers", "they gave him flowers"),
        ("they owe her big time", "they owe him big time"),
        ("they called her “honey” there", "they called him “honey” there"),
        ("pictures of her gazing out to sea", "pictures of him gazing out to sea"),
        ("slap her she's no fun", "slap him he's no fun"),
        ("good on her--she won", "good on him--he won"),
        ("I'd follow her anywhere", "I'd follow him anywhere"),
        # her after the same verbs, but of a noun
        ("she lets her hair down", "he lets his hair down"),
        ("she lets her quiet side show", "he lets his quiet side show"),
        ("she made her first film", "he made his first film"),
        ("she made her cry heard", "he made his cry heard"),
        ("she helped her mother", "he helped his father"),
        ("she keeps her quiet, dark charm", "he keeps his quiet, dark charm"),
        ("she left her closed shop", "he left his closed shop"),
        ("she hurt her back in May", "he hurt his back in May"),
        ("she gives her best", "he gives his best"),
        ("she told her story", "he told his story"),
        ("the charm of her acting is great", "the charm of his acting is great"),
        # her before an adverbial of time, and before the same words in a noun phrase
        ("they visited her last month", "they visited him last month"),
        ("I spoke to her next morning, at work", "I spoke to him next morning, at work"),
        ("you can ask her next time", "you can ask him next time"),
        ("we interviewed her last Friday evening", "we interviewed him last Friday evening"),
        ("they met her one night in May", "they met him one night in May"),
        ("she was her one great friend", "he was his one great friend"),
        ("I phoned her Thursday.", "I phoned him Thursday."),
        ("I phoned her Thursday morning.", "I phoned him Thursday morning."),
        ("they left her three weeks ago", "they left him three weeks ago"),
        ("he married her 20 years later", "she married him 20 years later"),
        ("we lost her many years ago", "we lost him many years ago"),
        ("we knew her ages ago", "we knew him ages ago"),
        ("I called her twice", "I called him twice"),
        ("they met her first in Rome", "they met him first in Rome"),
        ("I loved her last film", "I loved his last film"),
        ("I loved her last week's column", "I loved his last week's column"),
        ("on her last night in Rome", "on his last night in Rome"),
        ("it had become her last year at school", "it had become his last year at school"),
        ("it was her last week at school", "it was his last week at school"),
        ("she spent her next summer there", "he spent his next summer there"),
        ("I think her last year was hard", "I think his last year was hard"),
        ("we took her next day off", "we took his next day off"),
        ("she missed her Friday class", "he missed his Friday class"),
        ("I loved her three best songs", "I loved his three best songs"),
        ("we praise her twenty years of work", "we praise his twenty years of work"),
        ("they met her first husband", "they met his first wife"),
        ("we saw her first and only film", "we saw his first and only film"),
        ("it was her first", "it was his first"),
        ("her twice weekly column", "his twice weekly column"),
        # her called, wished, given or left
        ("the critics called her clever", "the critics called him clever"),
        ("some thought her arrogant.", "some thought him arrogant."),
        ("I think her acting is fine", "I think his acting is fine"),
        ("they called her names", "they called him names"),
        ("she called her clever agent", "he called his clever agent"),
        ("she called her lawyer", "he called his lawyer"),
        ("we wish her success", "we wish him success"),
        ("they wished her good luck in May", "they wished him good luck in May"),
        ("we wish her all the joy there is", "we wish him all the joy there is"),
        ("I wish her luck had held", "I wish his luck had held"),
        ("I wish her voice were stronger", "I wish his voice were stronger"),
        ("she gave her all to it", "he gave his all to it"),
        ("they gave her all they had", "they gave him all they had"),
        ("they gave her all the money", "they gave him all the money"),
        ("they paid her five hundred pounds a day", "they paid him five hundred pounds a day"),
        ("I paid her 5. Films cost more", "I paid him 5. Films cost more"),
        ("I give her 9 out of 10", "I give him 9 out of 10"),
        ("she gave her two sons a home", "he gave his two daughters a home"),
        ("she spent her two dollars", "he spent his two dollars"),
        ("with her dead, nothing works", "with him dead, nothing works"),
        ("we want her gone", "we want him gone"),
        ("with her dead husband", "with his dead wife"),
        # two pronouns in a row
        ("we met her and her mother", "we met him and his father"),
        ("I love her and her mother doesn't", "I love him and his father doesn't"),
        ("in her and her mother's house", "in his and his father's house"),
        ("in his and his wife's house", "in her and her husband's house"),
        ("his/her own life", "her/his own life"),
        ("her / his and/or their friends", "his / her and/or their friends"),
        ("ask him/her.", "ask her/him."),
        # marks between her and the noun
        ("her “best” film", "his “best” film"),
        ("we speak of her 'fame' often", "we speak of his 'fame' often"),
        ("her — truly — best film", "his — truly — best film"),
        ("we left her — alone", "we left him — alone"),
        ("a down-on-her-luck girl", "a down-on-his-luck boy"),
        ("Her!", "Him!"),
        # his: her before a noun phrase, hers elsewhere; him and hers have one form each
        ("he lost his book", "she lost her book"),
        ("his (the director's) best film", "her (the director's) best film"),
        ("the fault is his (and mine)", "the fault is hers (and mine)"),
        ("the fault is his", "the fault is hers"),
        ("the fault is his, not mine", "the fault is hers, not mine"),
        ("his is the best", "hers is the best"),
        ("a friend of his", "a friend of hers"),
        ("a friend of hers", "a friend of his"),
        ("we saw him leave", "we saw her leave"),
        ("he gave his all", "she gave her all"),
        ("it made his happy end", "it made her happy end"),
        ("they let his own be", "they let her own be"),
        ("his and her friends", "her and his friends"),
        ("his or her own life", "her or his own life"),
        ("he hurt himself", "she hurt herself"),
        # both at once
        ("she loves him and he loves her", "he loves her and she loves him"),
        ("a man and his wife", "a woman and her husband"),
        # letters, boundaries, marks
        ("HE left; She stayed; his. Mr. Smith", "SHE left; He stayed; hers. Ms. Smith"),
        ("the Man's, he's, (she)", "the Woman's, she's, (he)"),
        ("the shepherd is human", None),
        ("nothing here", None),
        # articles
        ("an actress", "an actor"),
        ("An uncle", "An aunt"),
        ("a boy", "a girl"),
    ],
)
def test_gender(gender, text, swapped):
    assert Swapper(gender).swap(text, "id") == swapped


@pytest.mark.parametrize("text", ["she lost her book", "he hurt himself", "a mother of sons", "It is hers", "They saw Her", "Ladies first"])
def test_two_swaps_are_none(gender, text):
    swapper = Swapper(gender)
    assert swapper.swap(swapper.swap(text, "id"), "id") == text


def test_a_counterfactual_belongs_to_the_other_group(gender):
    lexicon, swapper = Lexicon(gender), Swapper(gender)
    neutral = {"actor", "actors"}
    for group, other in (("women", "men"), ("men", "women")):
        for word in gender.groups[group]:
            swapped = swapper.swap(f"{word}.", "id")
            assert lexicon.mentioned(swapped) == ([] if swapped.rstrip(".") in neutral else [other]), word


def test_articles_follow_the_word(lexicon):
    age = Swapper(lexicon("age"))
    assert age.swap("an elderly man and an old man", "id") == "a teenage man and a young man"
    assert age.swap("A young man, a teenager", "id") == "An old man, a retiree"


def test_several_groups_are_moved_round_by_the_row(lexicon):
    attribute = lexicon("nationality")
    swapper, texts = Swapper(attribute), {}
    for row in range(60):
        text = swapper.swap("a French film by two Germans", str(row))
        assert text == swapper.swap("a French film by two Germans", str(row))
        groups = Lexicon(attribute).mentioned(text)
        assert len(groups) == 2
        assert re.match(r"An? [A-Z]|an? [A-Z]", text)
        assert text.startswith("an ") == text.split()[1].startswith(("A", "E", "I")), text
        texts[text] = row
    assert len(texts) == 10
    assert not any("French" in text and "German" in text for text in texts)


def test_copies_name_their_parent_and_keep_its_label(gender):
    rows = [
        make_row("a" * 32, "She sang", label="positive"),
        make_row("b" * 32, "who sang", label="positive", parent="a" * 32, augmenter="delete"),
        make_row("c" * 32, "he sings", label="negative", parent="e" * 32, augmenter="swap"),
        make_row("d" * 32, "she is unlabelled"),
    ]
    found = make_counterfactuals(rows, {"gender": gender})
    assert found.without == {"gender": {"no_mention": 1, "no_counterpart": 0, "unchanged": 0}}
    by_parent = {copy.parent: copy for copy in found.copies}
    assert set(by_parent) == {"a" * 32, "c" * 32}
    for parent, text in (("a" * 32, "He sang"), ("c" * 32, "she sings")):
        copy, row = by_parent[parent], next(row for row in rows if row.id == parent)
        expected = dataclasses.replace(row, id=copy.id, text=text, parent=parent, augmenter="counterfactual_gender")
        assert copy == expected
        assert re.fullmatch(r"[0-9a-f]{32}", copy.id)
    assert make_counterfactuals(rows[::-1], {"gender": gender}) == found


def test_a_word_without_a_counterpart_leaves_the_text_alone(gender):
    attribute = gender.model_copy(update={"swaps": gender.swaps[:4]})
    found = make_counterfactuals([make_row("a", "she and her mother", label="good")], {"gender": attribute})
    assert found.copies == []
    assert found.without["gender"]["no_counterpart"] == 1


@pytest.mark.parametrize(
    ("groups", "text", "swapped"),
    [
        ({"a": ["old  man"], "b": ["kid"]}, "an old  man met a kid", "a kid met an old man"),
        ({"a": ["king "], "b": ["queen"]}, "the king , a queen", "the queen , a king"),
        ({"a": ["older\u00a0man"], "b": ["kid"]}, "an older\u00a0man; an older man", "a kid; a kid"),
        (
            {"a": ["istanbullu"], "b": ["ankaral\u0131"]},
            "İstanbullu adam, ANKARALI kad\u0131n",
            "Ankaral\u0131 adam, ISTANBULLU kad\u0131n",
        ),
        ({"a": ["c++"], "b": ["c#"]}, "c++ and C#", "c# and C++"),
    ],
)
def test_white_space_and_letters_of_other_alphabets_in_a_lexicon(groups, text, swapped):
    swaps = [{group: words[0] for group, words in groups.items()}]
    attribute = Attribute(found_in="text", groups=groups, privileged="a", swaps=swaps, swaps_before_noun=[])
    assert Swapper(attribute).swap(text, "id") == swapped


@pytest.mark.parametrize(
    ("text", "swapped"), [("h\u0131s film", "her film"), ("İt is hİs film", "İt is her film"), ("hi\u017f film", "her film")]
)
def test_letters_that_fold_to_others(gender, text, swapped):
    assert Swapper(gender).swap(text, "id") == swapped


@pytest.mark.parametrize("joint", ["/her", " and her"])
def test_a_long_row_of_pronouns(gender, joint):
    assert Swapper(gender).swap(f"his{joint * 1500} film", "id").startswith("her")


NEAR_WORDS = st.sampled_from([*"her his hİs h\u0131s hi\u017f HER him mrs an a let made gave own best \" “ ( ) — - 's".split(), "\n"])


@pytest.mark.slow
@given(st.lists(NEAR_WORDS | st.text(max_size=8), max_size=12), st.sampled_from([" ", "", "\u00a0"]))
def test_no_text_makes_it_raise(gender, parts, space):
    swapper, text = Swapper(gender), space.join(parts)
    swapped = swapper.swap(text, "id")
    assert (swapped is not None) == swapper.mentions(text)


WORDS = st.text(min_size=1, max_size=6).filter(str.strip)


@given(WORDS, WORDS, st.lists(st.text(max_size=5), max_size=3))
def test_no_lexicon_that_is_accepted_makes_it_raise(one, other, parts):
    try:
        attribute = Attribute(
            found_in="text", groups={"a": [one], "b": [other]}, privileged="a", swaps=[{"a": one, "b": other}], swaps_before_noun=[]
        )
    except ValidationError:
        assert " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
        return
    for text in (one, other.upper(), one.lower(), " ".join([*parts, one, other.title()])):
        swapped = Swapper(attribute).swap(text, "id")
        assert (swapped is not None) == Swapper(attribute).mentions(text)
