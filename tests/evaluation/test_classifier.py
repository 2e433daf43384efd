import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification

from compactlm.evaluation import classifier
from compactlm.evaluation.classifier import Reader
from compactlm.tasks.base import TaskOfModel

TASK = TaskOfModel("classification", ("no", "yes"), "accuracy")


@pytest.fixture
def reader(tiny_classifier, tiny_tokenizer):
    return Reader(BertForSequenceClassification.from_pretrained(tiny_classifier), tiny_tokenizer, 32, 256, "reading", TASK)


def test_probabilities_are_the_softmax_of_logits(reader, tiny_texts):
    found = reader.probabilities(tiny_texts)
    assert found.shape == (len(tiny_texts), 2)
    assert np.allclose(found.sum(axis=1), 1)
    with torch.inference_mode():
        logits = reader.model(torch.tensor(reader.encode([tiny_texts[7]]))).logits
    assert found[7] == pytest.approx(torch.softmax(logits.double(), 1)[0].numpy(), abs=1e-6)


def test_each_sequence_is_classified_once(reader, tiny_texts, monkeypatch):
    read, run = [], classifier.run_examples
    monkeypatch.setattr(classifier, "run_examples", lambda model, examples, *rest: read.extend(examples) or run(model, examples, *rest))
    first = reader.probabilities([*tiny_texts[:5], tiny_texts[0]])
    assert len(read) == 5
    assert (first[0] == first[5]).all()
    again = reader.probabilities([tiny_texts[1].upper(), "the dog hated it", tiny_texts[0]])
    assert len(read) == 6  # the tokenizer is uncased
    assert (again[0] == first[1]).all()
    assert (again[2] == first[0]).all()


def test_outputs_that_are_not_finite_become_nan(reader):
    with torch.no_grad():
        reader.model.classifier.bias[0] = float("inf")
    assert np.isnan(reader.probabilities(["the film was good"])).any()
