"""The tiny models, loaded once for all tests here."""

from __future__ import annotations

import pytest
from transformers import BertForMaskedLM, BertForSequenceClassification


@pytest.fixture(scope="session")
def classifier(tiny_classifier):
    return BertForSequenceClassification.from_pretrained(tiny_classifier)


@pytest.fixture(scope="session")
def masked(tiny_bert):
    return BertForMaskedLM.from_pretrained(tiny_bert)
