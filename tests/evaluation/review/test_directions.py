"""Every figure that a run writes is in the table of directions or is listed as informational."""

from pathlib import Path

import pytest
import yaml

from compactlm.artifacts import read_json
from compactlm.evaluation.review.changes import review
from compactlm.evaluation.review.directions import DIRECTIONS, INFORMATIONAL, direction, figure_name
from compactlm.figures.figure import write_figures
from compactlm.params import parse_params
from tests.fixtures.made_up_run import all_rows, build

PHASES = {"general", "embedding", "embedding_tokens", "sentiment"}  # signals.json has the rows by phase, without the name of a figure
METRICS = sorted((Path(__file__).parents[3] / "reports/metrics").glob("*.json"))


def keys(metrics):
    """Return the keys of the figures in a metric file."""

    def flat(content, path=()):
        for key, value in content.items():
            yield from flat(value, (*path, key)) if isinstance(value, dict) else [(".".join((*path, key)), value)]

    diff = {"metrics": {key: {"old": value, "new": value} for key, value in flat(metrics)}}
    return [change.key for change in review(diff).changes]


@pytest.mark.parametrize("path", METRICS, ids=lambda path: path.stem)
def test_every_committed_figure_is_listed(path):
    assert [key for key in keys(read_json(path)) if figure_name(key) is None and key not in PHASES] == []


def test_every_figure_of_a_made_up_run_is_listed(default_params):
    found = build(parse_params(yaml.safe_load(default_params)), all_rows())
    unlisted = [key for metrics in found.metrics.values() for key in keys(write_figures(metrics)) if figure_name(key) is None]
    assert unlisted == []


def test_the_last_listed_part_of_a_key_names_the_figure():
    assert not INFORMATIONAL & DIRECTIONS.keys()
    assert direction("tasks.sentiment.student") == "higher"
    assert direction("tasks.sentiment.rows") is None
    assert direction("fairness.tasks.sentiment.gender.counterfactual.flips.student") == "lower"
    assert direction("size.student_multiply_adds_a_token") == "lower"


def test_figures_of_embeddings_are_named_without_their_number_and_baselines_have_no_direction():
    assert figure_name("embedding.student.few_shot_16") == "few_shot"
    assert direction("embedding.student.found_at_10") == "higher"
    assert direction("embedding.kept.student.few_shot_256") == "higher"
    assert direction("embedding.context.negation.student") == "higher"
    assert direction("embedding.context.all.tfidf") is None
    assert direction("embedding.static.spearman") is None
