"""The findings of a made-up run, and a tiny student."""

import dataclasses

import pytest
import yaml

from compactlm.bert.models import load_classifier, load_tokenizer
from compactlm.evaluation.classifier import Reader
from compactlm.params import parse_params
from compactlm.tasks.base import TaskOfModel
from tests.fixtures.made_up_run import all_rows, build, with_stages


@pytest.fixture(scope="session")
def params(default_params):
    """Return the default parameters with one protected attribute."""
    content = yaml.safe_load(default_params)
    content["bias_audit"]["protected"] = {"sentiment": ["gender"]}
    return parse_params(content)


@pytest.fixture(scope="session")
def test_rows():
    return all_rows()


@pytest.fixture(scope="session")
def found(params, test_rows):
    return build(params, test_rows)


@pytest.fixture(scope="session")
def three_attributes(default_params, test_rows):
    """Return the findings for the default protected attributes."""
    return build(parse_params(yaml.safe_load(default_params)), test_rows)


@pytest.fixture
def altered(found):
    """Return a function that replaces sections of evaluate.json in the findings."""
    return lambda **sections: with_stages(found, evaluate={**found.metrics["evaluate"], **sections})


@pytest.fixture(scope="session")
def readers(student_root):
    directory = student_root / "sentiment"
    return {
        "sentiment": Reader(
            load_classifier(directory),
            load_tokenizer(directory),
            48,
            4096,
            "student",
            TaskOfModel("classification", ("negative", "positive"), "accuracy"),
        )
    }


@pytest.fixture(scope="session")
def two_tasks(found):
    """Return the findings with a second task, `topic`, which has the results of the first one."""

    def twice(content):
        return dict.fromkeys(("sentiment", "topic"), content["sentiment"])

    params, audit, evaluate = found.params, found.params.bias_audit, found.metrics["evaluate"]
    audit = audit.model_copy(update={name: twice(getattr(audit, name)) for name in ("protected", "favorable_labels")})
    fairness = {**evaluate["fairness"], "tasks": twice(evaluate["fairness"]["tasks"])}
    evaluate = {**evaluate, "tasks": twice(evaluate["tasks"]), "fairness": fairness}
    return dataclasses.replace(
        found,
        params=params.model_copy(update={"tasks": twice(params.tasks), "bias_audit": audit}),
        metrics={**found.metrics, "evaluate": evaluate, "bias-audit": twice(found.metrics["bias-audit"])},
        answers=twice(found.answers),
    )
