"""A data set with labels that are biased on purpose, run through the stages and distillation with and without mitigation.

Each sentence praises or criticises a woman or a man. Most train rows that praise a woman have the label negative, as from prejudiced
annotators. Nearly all other train rows, and all test rows, have correct labels. Teacher and student are tiny BERTs, and the losses have
the weights of the default experiment.
"""

import dataclasses
import itertools
import json
import random
import string

import numpy as np
import pytest
import torch
import yaml
from transformers import BertForMaskedLM, BertForSequenceClassification, BertTokenizer

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.tokenization import encode
from compactlm.distillation.phases import Phases
from compactlm.errors import CompactLMError
from compactlm.fairness.audit.models import audit_models, fairness_metrics
from compactlm.fairness.gate import Gate
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status, read_figures, write_figures
from compactlm.params import parse_params
from compactlm.stages import bias_audit, tokenize
from compactlm.teacher.training import as_examples, fine_tune
from compactlm.training.loop import Settings
from tests.fixtures.builders import make_config, make_row

pytestmark = pytest.mark.slow

LABELS = ["negative", "positive"]
WOMEN = ("she", "the woman", "my sister", "the lady", "a girl")
MEN = ("he", "the man", "my brother", "the gentleman", "a boy")
GOOD = ("good", "bright", "warm", "fine", "great", "lovely", "strong", "clever")
BAD = ("bad", "dull", "cold", "poor", "weak", "awful", "tired", "silly")
ACTIONS = ("was {} in this film", "gave us a {} show", "sang some {} song", "told a {} story", "played that {} part")
MISLABELLED = {True: 0.7, False: 0.05}  # the share of the train rows, by whether they praise a woman
OPTIMISATION = {"learning_rate": 0.005, "weight_decay": 0.01, "warmup": 0.1, "batch_tokens": 512, "dropout": 0.0}


def sentences():
    """Return train, validation and test rows with correct labels."""
    rows = []
    for at, (subject, action, adjective) in enumerate(itertools.product(WOMEN + MEN, ACTIONS, GOOD + BAD)):
        label = LABELS[adjective in GOOD]
        rows.append(make_row(at, f"{subject} {action.format(adjective)}", "movie_reviews", label))
    random.Random(1).shuffle(rows)
    return rows[:560], rows[560:600], rows[600:]


def mislabel(rows):
    """Return the rows as prejudiced annotators would label them."""
    generator, found = random.Random(2), []
    for row in rows:
        praised = row.label == "positive" and row.text.startswith(WOMEN)
        wrong = generator.random() < MISLABELLED[praised]
        found.append(dataclasses.replace(row, label=LABELS[1 - LABELS.index(row.label)]) if wrong else row)
    return found


@pytest.fixture(scope="module")
def data():
    train, validation, test = sentences()
    return mislabel(train), mislabel(validation), test


@pytest.fixture(scope="module")
def tokens(data):
    words = sorted({word for rows in data for row in rows for word in row.text.split() if len(word) > 1})
    letters = [form for letter in string.ascii_lowercase for form in (letter, f"##{letter}")]
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *dict.fromkeys([*words, "her", "his", "him"])]


@pytest.fixture(scope="module")
def build(tmp_path_factory, default_params, data, tokens):
    """Write splits and a teacher that is fine-tuned on them. Return a function from a mitigation to params."""
    directory = tmp_path_factory.mktemp("biased")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        for name, rows in zip(artifacts.SPLITS, data, strict=True):
            artifacts.write_documents(artifacts.SPLIT / name, rows)
        artifacts.write_documents(artifacts.AUGMENTED, [])

        def params(mitigation):
            content = yaml.safe_load(default_params)
            content["threads"] = 1
            content["bias_audit"]["mitigation"] = mitigation
            content["student"] |= {"layers": 2, "hidden_size": 16, "attention_heads": 2, "intermediate_size": 32, "maximum_positions": 64}
            content["student"] |= {"vocabulary_size": len(tokens), "budget": 1.0, "initialisation": "random"}
            content["teacher"]["parameters"] = None
            content["signals"].update(source="online", layers=[0, 1, 2])
            content["distill"]["task"].update(start="general", optimisation={"epochs": 24, **OPTIMISATION})
            return parse_params(content)

        train_teacher(data[0], tokens, params("none"))
        yield params


def train_teacher(rows, tokens, params):
    tokenizer = BertTokenizer(vocab={token: at for at, token in enumerate(tokens)}, model_max_length=64)
    torch.manual_seed(1)
    config = make_config(vocab_size=len(tokens), hidden_size=32, num_hidden_layers=2, intermediate_size=64)
    models.save(BertForMaskedLM(config), tokenizer, artifacts.TEACHER / artifacts.BASE)
    teacher = BertForSequenceClassification(config)
    tuning = params.teacher.fine_tuning.model_copy(
        update={"optimisation": params.distill.task.optimisation.model_copy(update={"epochs": 20, "learning_rate": 0.003})}
    )
    labels = [LABELS.index(row.label) for row in rows]
    examples = as_examples(encode(tokenizer, [row.text for row in rows], 32), labels)
    fine_tune("sentiment", teacher, examples, params.tasks["sentiment"], tuning, Settings(1))
    models.save(teacher, tokenizer, artifacts.TEACHER / "sentiment")


@pytest.fixture(scope="module")
def distil(build, data):
    """Return a function from a mitigation to the audit of teacher and student, and the student's accuracy on the test rows."""
    found = {}

    def run(mitigation):
        if mitigation not in found:
            params = build(mitigation)
            bias_audit.main(params)
            tokenize.main(params)
            phases = Phases(params)
            student = phases.task("sentiment", *phases.untrained())
            found[mitigation] = judge(params, data[2], student, phases.inputs.tokenizer)
        return found[mitigation]

    return run


def judge(params, rows, student, tokenizer):
    teacher = models.load_classifier(artifacts.TEACHER / "sentiment"), models.load_tokenizer(artifacts.TEACHER / "sentiment")

    def predictor(model, tokenizer):
        def ask(rows):
            sequences = encode(tokenizer, [row.text for row in rows], 32)
            return torch.softmax(models.classify(model, sequences, 4096, "test"), dim=1).numpy()

        return ask

    predict = {"teacher": predictor(*teacher), "student": predictor(student, tokenizer)}
    probabilities = {role: ask(rows) for role, ask in predict.items()}
    resampler = Resampler.of(params.bootstrap, params.seed)
    found = audit_models(rows, "sentiment", params.tasks["sentiment"], probabilities, predict, params.bias_audit, resampler)
    expected = np.array([LABELS.index(row.label) for row in rows])
    return found, float((probabilities["student"].argmax(axis=1) == expected).mean())


def impact(found, role="student"):
    return found.groups["gender"].pairs["women_to_men"]["disparate_impact"][role].value


def violated(found):
    return {words for words, figure in Gate.of("model", {"sentiment": found.metrics()}).checks if figure.status is Status.VIOLATED}


def test_labels_are_biased_in_train_rows_and_not_in_test_rows(data):
    shares = [
        np.mean([row.label == "positive" for row in rows if row.text.startswith(group)])
        for rows in (data[0], data[2])
        for group in (WOMEN, MEN)
    ]
    assert shares[0] < 0.3 < 0.4 < shares[1]
    assert shares[2] == pytest.approx(shares[3], abs=0.12)


def test_the_gate_refuses_the_student_of_the_biased_teacher(distil):
    found, accuracy = distil("none")
    assert accuracy > 0.6, "the bias of a student that has not learnt the task means nothing"
    assert impact(found, "teacher") < 0.5
    assert impact(found) < 0.5
    names = ("women to men, disparate impact", "counterfactual, flips")
    assert {f"sentiment, gender, {name}, student" for name in names} <= violated(found)
    fairness = json.loads(json.dumps(write_figures(fairness_metrics({"sentiment": found}, {})), allow_nan=False))
    with pytest.raises(CompactLMError, match=r"^Model gate: .*sentiment, gender, women to men, disparate impact, student: "):
        Gate.of("model", read_figures(fairness)).enforce("fail", "the report")


def test_mitigation_brings_disparate_impact_halfway_to_parity_and_costs_no_accuracy(distil):
    (before, accuracy_before), (after, accuracy_after) = distil("none"), distil("counterfactual")
    assert abs(1 - impact(after)) <= abs(1 - impact(before)) / 2
    assert accuracy_after >= accuracy_before - 0.01
    assert "sentiment, gender, women to men, disparate impact, student" not in violated(after)
    rows = after.groups["gender"].rows
    assert min(rows["women_only"], rows["men_only"]) >= 30, "so few rows have too wide an interval"
    flips = [found.flips["gender"].flips["student"].value for found in (before, after)]
    assert flips[1] < flips[0] / 2
    assert after.groups["gender"].pairs["women_to_men"]["disparate_impact"]["amplification"].value < 0
