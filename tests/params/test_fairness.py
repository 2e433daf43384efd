import copy
from typing import Any

import pytest

from compactlm.params import parse_params
from tests.params.default import GOOD, complaint, compose, with_changes

COLUMN = {"found_in": "column", "groups": {"north": ["n"], "south": ["s"]}, "privileged": "north", "swaps": [], "swaps_before_noun": []}
GENDER = GOOD["bias_audit"]["attributes"]["gender"]
STEREOTYPES = GOOD["bias_audit"]["stereotypes"]["gender"]


def adding(key: str, entry: Any) -> dict[str, Any]:
    """Return the change that adds an entry to a list of the attribute gender, given by its path."""
    entries: Any = GENDER
    for part in key.split("."):
        entries = entries[part]
    return {f"bias_audit.attributes.gender.{key}": [*entries, entry]}


def changing_template(**values: Any) -> dict[str, Any]:
    """Return the change of some values of the first template about gender."""
    first, *others = STEREOTYPES["templates"]
    return {"bias_audit.stereotypes.gender.templates": [first | values, *others]}


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"bias_audit.attributes.gender.privileged": "boys"}, "privileged is 'boys', which is not one of groups (women, men)"),
        (adding("groups.men", "She"), "'She' is in the groups women and men"),
        (adding("groups.women", "\u00a0 "), "is not a word"),
        (adding("swaps", {"women": "her"}), "an entry of swaps names women; give it one word of each of women, men"),
        (adding("swaps_before_noun", {"women": "her"}), "an entry of swaps_before_noun names women; give it one word of each"),
        (adding("swaps", {"women": "he", "men": "she"}), "an entry of swaps has 'he' for women, but it is a word of men"),
        (adding("swaps", {"women": "nurse", "men": "she"}), "an entry of swaps has 'she' for men, but it is a word of women"),
        (adding("swaps", {"women": "nurse", "men": "actor"}), "an entry of swaps (nurse, actor) has no word of groups"),
        (
            {"bias_audit.attributes.region": {**COLUMN, "swaps": [{"north": "a", "south": "b"}]}},
            "swaps exchange words of a text, but the attribute is found in a column; set swaps to []",
        ),
        (changing_template(text="the {occupation} left"), "has [MASK] 0 times"),
        (changing_template(words={"women": "she", "boys": "he"}), "name other groups than occupations"),
        (
            {"bias_audit.stereotypes.gender.occupations.men": STEREOTYPES["occupations"]["men"][:-1]},
            "occupations has more entries for one group",
        ),
    ],
)
def test_invalid_groups_swaps_and_templates_are_refused(changes, facts):
    assert facts in complaint(with_changes(changes))


def test_white_space_in_words_becomes_one_space():
    changes = adding("groups.women", " old\u00a0 woman ") | adding("swaps", {"women": "old  woman", "men": "man\t"})
    read = parse_params(with_changes(changes)).bias_audit.attributes["gender"]
    assert read.groups["women"][-1] == "old woman"
    assert read.swaps[-1] == {"women": "old woman", "men": "man"}


def test_every_source_of_a_task_names_the_column_of_a_protected_attribute():
    content = with_changes({"bias_audit.attributes.region": COLUMN, "bias_audit.protected.sentiment": ["gender", "region"]})
    assert "ingest.sources.movie_reviews.columns.attributes (a source of tasks.sentiment) names no column" in complaint(content)
    content["ingest"]["sources"]["movie_reviews"]["columns"]["attributes"] = {"region": 3}
    assert parse_params(content).bias_audit.protected["sentiment"] == ["gender", "region"]


@pytest.mark.parametrize("mitigation", ["counterfactual", "both"])
def test_counterfactual_mitigation_needs_swaps(mitigation):
    content = copy.deepcopy(GOOD)
    content["bias_audit"]["mitigation"] = mitigation
    parse_params(content)
    content["bias_audit"]["attributes"]["gender"].update(swaps=[], swaps_before_noun=[])
    assert f"mitigation is {mitigation}, but attributes.gender, protected for the task sentiment, has no swaps" in complaint(content)


def test_the_example_lexicons_compose():
    overrides = [
        "lexicon=[gender,age,nationality]",
        "bias_audit.protected.sentiment=[gender,age,nationality]",
        "bias_audit.mitigation=both",
    ]
    assert list(parse_params(compose(*overrides)).bias_audit.attributes) == ["gender", "age", "nationality"]
