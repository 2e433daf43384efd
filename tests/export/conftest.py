"""The tiny models, loaded once for all tests of export."""

from __future__ import annotations

import pytest
from transformers import BertForMaskedLM, BertForSequenceClassification


@pytest.fixture(scope="session")
def classifier(student_root):
    return BertForSequenceClassification.from_pretrained(student_root / "sentiment")


@pytest.fixture(scope="session")
def masked(tiny_bert):
    return BertForMaskedLM.from_pretrained(tiny_bert)
