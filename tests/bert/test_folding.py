import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification

from compactlm.bert.folding import fold_threshold, fold_thresholds
from compactlm.tasks.thresholds import best_threshold


@pytest.fixture
def classifier(student_root):
    return BertForSequenceClassification.from_pretrained(student_root / "sentiment").eval()


@pytest.fixture
def logits_of(tiny_tokenizer, tiny_texts):
    inputs = tiny_tokenizer(tiny_texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        return lambda model: model(**inputs).logits.detach()


def test_the_likeliest_label_is_the_decision_on_every_row(classifier, logits_of):
    before = logits_of(classifier).softmax(dim=1)[:, 1].numpy()
    targets = (before >= np.quantile(before, 0.8)).astype(int)
    threshold = best_threshold(before, targets)
    assert threshold is not None
    fold_threshold(classifier, threshold)
    after = logits_of(classifier)
    np.testing.assert_array_equal(after.argmax(dim=1).numpy(), before >= threshold)
    np.testing.assert_array_equal(after.argmax(dim=1).numpy(), targets)
    fold_threshold(classifier, None)
    assert torch.equal(logits_of(classifier), after)


def test_each_label_has_a_threshold_of_its_own(classifier, logits_of):
    before = logits_of(classifier).sigmoid().numpy()
    thresholds = np.quantile(before, 0.7, axis=0).tolist()
    fold_thresholds(classifier, thresholds)
    np.testing.assert_array_equal(logits_of(classifier).sigmoid().numpy() >= 0.5, before >= thresholds)
