import copy

import pytest

from compactlm.params import parse_params
from tests.params.default import GOOD, complaint, compose

COLUMN = {"found_in": "column", "groups": {"north": ["n"], "south": ["s"]}, "privileged": "north", "swaps": [], "swaps_before_noun": []}


@pytest.fixture
def content():
    return copy.deepcopy(GOOD)


def test_the_reference_group_must_be_there(content):
    content["bias_audit"]["attributes"]["gender"]["privileged"] = "boys"
    assert "privileged is 'boys', which is not one of groups (women, men)" in complaint(content)


def test_a_word_stands_for_one_group(content):
    content["bias_audit"]["attributes"]["gender"]["groups"]["men"].append("She")
    assert "'She' is in the groups women and men" in complaint(content)


@pytest.mark.parametrize("key", ["swaps", "swaps_before_noun"])
def test_a_swap_has_a_word_of_each_group(content, key):
    content["bias_audit"]["attributes"]["gender"][key].append({"women": "her"})
    assert f"an entry of {key} names women; give it one word of each of women, men" in complaint(content)


@pytest.mark.parametrize(
    ("swap", "facts"),
    [
        ({"women": "he", "men": "she"}, "an entry of swaps has 'he' for women, but it is a word of men"),
        ({"women": "nurse", "men": "she"}, "an entry of swaps has 'she' for men, but it is a word of women"),
        ({"women": "nurse", "men": "actor"}, "an entry of swaps (nurse, actor) has no word of groups"),
    ],
)
def test_a_swap_keeps_each_word_in_its_group(content, swap, facts):
    content["bias_audit"]["attributes"]["gender"]["swaps"].append(swap)
    assert facts in complaint(content)


def test_white_space_in_words_is_one_space(content):
    gender = content["bias_audit"]["attributes"]["gender"]
    gender["groups"]["women"].append(" old\u00a0 woman ")
    gender["swaps"].append({"women": "old  woman", "men": "man\t"})
    read = parse_params(content).bias_audit.attributes["gender"]
    assert read.groups["women"][-1] == "old woman"
    assert read.swaps[-1] == {"women": "old woman", "men": "man"}
    gender["groups"]["women"].append("\u00a0 ")
    assert "is not a word" in complaint(content)


def test_a_column_has_no_words_to_swap(content):
    content["bias_audit"]["attributes"]["region"] = {**COLUMN, "swaps": [{"north": "a", "south": "b"}]}
    assert "swaps exchange words of a text, but the attribute is found in a column; set swaps to []" in complaint(content)


def test_a_column_is_named_by_every_source_of_the_task(content):
    content["bias_audit"]["attributes"]["region"] = COLUMN
    content["bias_audit"]["protected"]["sentiment"] = ["gender", "region"]
    assert "ingest.sources.movie_reviews.columns.attributes (a source of tasks.sentiment) names no column" in complaint(content)
    content["ingest"]["sources"]["movie_reviews"]["columns"]["attributes"] = {"region": 3}
    assert parse_params(content).bias_audit.protected["sentiment"] == ["gender", "region"]


@pytest.mark.parametrize("mitigation", ["counterfactual", "both"])
def test_what_has_no_swaps_can_have_no_counterfactual(content, mitigation):
    content["bias_audit"]["mitigation"] = mitigation
    parse_params(content)
    content["bias_audit"]["attributes"]["gender"].update(swaps=[], swaps_before_noun=[])
    assert f"mitigation is {mitigation}, but attributes.gender, protected for the task sentiment, has no swaps" in complaint(content)


def test_templates_have_one_mask_and_as_many_occupations_of_each_group(content):
    changed = copy.deepcopy(content)
    changed["bias_audit"]["stereotypes"]["gender"]["templates"][0]["text"] = "the {occupation} left"
    assert "has [MASK] 0 times" in complaint(changed)
    changed = copy.deepcopy(content)
    changed["bias_audit"]["stereotypes"]["gender"]["occupations"]["men"].pop()
    assert "occupations has more entries for one group" in complaint(changed)
    changed = copy.deepcopy(content)
    changed["bias_audit"]["stereotypes"]["gender"]["templates"][0]["words"] = {"women": "she", "boys": "he"}
    assert "name other groups than occupations" in complaint(changed)


def test_the_examples_of_lexicons_compose():
    overrides = [
        "lexicon=[gender,age,nationality]",
        "bias_audit.protected.sentiment=[gender,age,nationality]",
        "bias_audit.mitigation=both",
    ]
    assert list(parse_params(compose(*overrides)).bias_audit.attributes) == ["gender", "age", "nationality"]
