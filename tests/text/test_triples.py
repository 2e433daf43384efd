"""Triples of the suites in configs/words/context, and the opposites that training may use."""

import collections
import re
from pathlib import Path

import pytest
import yaml

from compactlm.errors import CompactLMError
from compactlm.params.suites import OPPOSITES, SUITES, Opposites, read_opposites, read_suite
from compactlm.text.triples import Triple, make_triples, opposite_triples

ROOT = Path(__file__).parents[2]
KINDS = sorted(path.stem for path in (ROOT / SUITES).glob("*.yaml"))
SUITE = {kind: read_suite(kind, ROOT / SUITES) for kind in KINDS}
HALVES = ("evaluate", "train")
WORD = re.compile(r"\w+")

GROUP = {
    "slots": ["word", "like", "unlike"],
    "templates": [
        {"anchor": "{word}", "right": "{like}", "wrong": "{unlike}"},
        {"anchor": "i am {word}", "right": "i am {like}", "wrong": "i am {unlike}"},
    ],
    "evaluate": [["good", "nice", "bad"]],
    "train": [["hot", "warm", "cold"]],
}


def words_of(triples):
    return {word for one in triples for text in (one.anchor, one.right, one.wrong) for word in WORD.findall(text)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_suite_is_large_enough_and_its_triples_differ(kind):
    triples = make_triples(SUITE[kind], "evaluate")
    assert len(triples) >= (200 if kind == "opposites" else 75)
    assert len(triples) == sum(len(group.templates) * len(group.evaluate) for group in SUITE[kind].groups)
    for one in triples:
        assert len({one.anchor, one.right, one.wrong}) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_no_filling_is_used_twice(kind):
    counted = collections.Counter(tuple(filling) for group in SUITE[kind].groups for half in HALVES for filling in getattr(group, half))
    assert [filling for filling, count in counted.items() if count > 1] == []


def test_training_and_evaluation_share_no_entry_of_a_filling():
    entries = {
        half: {entry for suite in SUITE.values() for group in suite.groups for filling in getattr(group, half) for entry in filling}
        for half in HALVES
    }
    assert entries["evaluate"] & entries["train"] == set()


def test_a_text_that_evaluation_uses_is_not_a_text_of_training():
    texts = {
        half: {text for suite in SUITE.values() for one in make_triples(suite, half) for text in (one.anchor, one.right, one.wrong)}
        for half in HALVES
    }
    assert texts["evaluate"] & texts["train"] == set()


def test_the_opposites_for_training_share_no_word_with_a_text_of_evaluation():
    opposites = read_opposites(ROOT / OPPOSITES)
    pairs = opposites.pairs
    words = {word for pair in pairs for word in pair}
    assert len(pairs) >= 300
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert [pair for pair in pairs if len(set(pair)) == 1] == []
    evaluated = [one for suite in SUITE.values() for one in make_triples(suite, "evaluate")]
    assert words & words_of(evaluated) == set()
    texts = {text for one in opposite_triples(opposites) for text in (one.anchor, one.right, one.wrong)}
    assert texts & {text for one in evaluated for text in (one.anchor, one.right, one.wrong)} == set()


def test_word_order_and_roles_cannot_be_decided_by_words():
    """The right and the wrong text have the same words, so an embedding of words alone ties."""
    for kind in ("word_order", "roles"):
        for one in make_triples(SUITE[kind], "evaluate"):
            if "employs" not in one.right and "waiting" not in one.right and "pupil" not in one.right:
                assert sorted(WORD.findall(one.right)) == sorted(WORD.findall(one.wrong)), one


def test_templates_are_filled():
    suite = type(SUITE["opposites"]).model_validate({"groups": [GROUP]})
    assert make_triples(suite, "evaluate") == [
        Triple("good", "nice", "bad", "good / nice / bad"),
        Triple("i am good", "i am nice", "i am bad", "good / nice / bad"),
    ]
    assert [one.anchor for one in make_triples(suite, "train")] == ["hot", "i am hot"]


def test_opposites_are_filled_in_both_orders():
    templates = [{"anchor": "it is {word}", "right": "so it is {word}", "wrong": "it is {opposite}"}]
    opposites = Opposites.model_validate({"templates": templates, "pairs": [["hot", "cold"], ["cold", "hot"]]})
    first, second = opposite_triples(opposites)[:2]
    assert first == Triple("it is hot", "so it is hot", "it is cold", "hot / cold")
    assert second == Triple("it is cold", "so it is cold", "it is hot", "hot / cold")


def test_a_template_of_opposites_with_another_slot_is_refused():
    templates = [{"anchor": "it is {like}", "right": "so it is {word}", "wrong": "it is {opposite}"}]
    with pytest.raises(ValueError, match=r"'it is \{like\}' has the slot like; use \{word\} and \{opposite\}"):
        Opposites.model_validate({"templates": templates, "pairs": []})


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"slots": ["word", "like"]}, ["{unlike}", "slot unlike"]),
        ({"evaluate": [["good", "nice"]]}, ["good, nice", "word, like, unlike"]),
        ({"train": [["good", "nice", "bad"]]}, ["good, nice, bad", "evaluate"]),
        ({"templates": [{"anchor": "{word}", "right": "{like}", "wrong": "{like}"}]}, ["the same"]),
        ({"evaluate": []}, ["groups.0.evaluate"]),
        ({"colour": 1}, ["groups.0.colour"]),
    ],
)
def test_a_damaged_suite_is_refused_in_one_sentence(tmp_path, changes, facts):
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({"groups": [GROUP | changes]}))
    with pytest.raises(CompactLMError) as caught:
        read_suite("own", tmp_path)
    sentence = str(caught.value)
    assert "own.yaml" in sentence
    assert "\n" not in sentence
    assert [fact for fact in facts if fact not in sentence] == []


@pytest.mark.parametrize("content", [None, "- a list", "groups: [", "\xff"])
def test_an_unreadable_suite_is_refused_in_one_sentence(tmp_path, content):
    if content is not None:
        (tmp_path / "own.yaml").write_bytes(content.encode("latin-1"))
    with pytest.raises(CompactLMError, match=r"own\.yaml") as caught:
        read_suite("own", tmp_path)
    assert "\n" not in str(caught.value)
