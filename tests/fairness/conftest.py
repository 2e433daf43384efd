"""Attributes of the configuration, and the section of the bias audit with the values of a test."""

from pathlib import Path

import pytest
import yaml

from compactlm.params import Attribute, BiasAudit
from tests.fixtures.builders import make_attribute

LEXICONS = Path(__file__).parents[2] / "configs" / "words" / "groups"
LIMITS = {
    "disparate_impact": 0.8,
    "statistical_parity_difference": 0.1,
    "equal_opportunity_difference": 0.1,
    "average_odds_difference": 0.1,
    "counterfactual_flips": 0.1,
    "stereotype_log_odds_gap": 0.22,
    "amplification": 0.05,
}


@pytest.fixture(scope="session")
def lexicon():
    """Return a function that reads an attribute of configs/words/groups."""
    return lambda name: Attribute.model_validate(yaml.safe_load((LEXICONS / f"{name}.yaml").read_text()))


@pytest.fixture(scope="session")
def gender(lexicon):
    return lexicon("gender")


@pytest.fixture(scope="session")
def column():
    """Return an attribute that is found in a column."""
    return make_attribute({"north": ["n", "N-E"], "south": ["s"]}, "column")


@pytest.fixture(scope="session")
def settings(gender, column):
    """Return a factory of the section of the bias audit."""

    def section(minimum=4, mitigation="reweighing", protected=("gender",), on_violation="warn"):
        data = {name: LIMITS[name] for name in ("disparate_impact", "statistical_parity_difference")}
        return BiasAudit(
            attributes={"gender": gender, "region": column},
            protected={"sentiment": list(protected)},
            favorable_labels={"sentiment": "positive"},
            minimum_group_rows=minimum,
            mitigation=mitigation,
            stereotypes={},
            gate={"on_violation": on_violation, "data": data, "model": LIMITS},
        )

    return section
