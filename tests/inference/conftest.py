"""The tiny models, exported once for all tests here, since an export takes seconds."""

from __future__ import annotations

import pytest
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.inference.exporting import write_directory


@pytest.fixture(scope="session")
def classifier(tiny_classifier):
    return BertForSequenceClassification.from_pretrained(tiny_classifier)


@pytest.fixture(scope="session")
def masked(tiny_bert):
    return BertForMaskedLM.from_pretrained(tiny_bert)


@pytest.fixture(scope="session")
def exported(tmp_path_factory, tiny_bert, tiny_classifier, classifier, masked):
    """A directory with the directories mlm, sentiment and embedding; tests only read it."""
    directory = tmp_path_factory.mktemp("export")
    for name, model, source in (
        ("mlm", masked, tiny_bert),
        ("sentiment", classifier, tiny_classifier),
        ("embedding", masked.bert, tiny_bert),
    ):
        write_directory(model, source, directory / name, 18)
    return directory
