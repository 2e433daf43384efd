"""A tiny run of the stages from tokenize to distill-train, made once; each test gets a copy in its working directory."""

import shutil

import pytest
import yaml
from transformers import BertForMaskedLM

from compactlm import artifacts
from compactlm.bert import models
from compactlm.doctor.examined import Run
from compactlm.doctor.registry import examine
from compactlm.params import parse_params
from compactlm.stages import distill_train, signals, teacher, tokenize
from tests.fixtures.builders import merge, scattered_row
from tests.fixtures.checkout import GOOD

LABELS = ("negative", "positive")
OPTIMISATION = {"epochs": 8, "learning_rate": 0.005, "batch_tokens": 192, "dropout": 0.0}
SETTINGS = {
    "precision": "fp32",
    "threads": 1,
    "energy": {"track": False},
    "teacher": {
        "parameters": None,
        "maximum_length": 32,
        "validation_words": 10,
        "fine_tuning": {"optimisation": OPTIMISATION},
    },
    "student": {
        "layers": 2,
        "hidden_size": 24,
        "attention_heads": 2,
        "intermediate_size": 48,
        "maximum_positions": 64,
        "vocabulary_size": 100,
        "budget": 1.0,
    },
    "tokenize": {"maximum_length": 32},
    "signals": {"source": "cached", "layers": [1, 2], "general": {"sequences": 60}, "task": {"unlabelled_sequences": 0}},
    "distill": {
        "general": {"soft_weight": 1.0, "hidden": {"weight": 1.0}, "optimisation": {**OPTIMISATION, "epochs": 8}},
        "embedding": {"enabled": False},
        "task": {"optimisation": OPTIMISATION},
    },
}


def label_of(text):
    return LABELS[any(word in text.split() or f"{word}." in text for word in GOOD)]


@pytest.fixture(scope="session")
def settings(tmp_path_factory, tiny_bert, tiny_tokenizer):
    directory = tmp_path_factory.mktemp("source")
    models.save(BertForMaskedLM.from_pretrained(tiny_bert), tiny_tokenizer, directory)
    source = {"kind": "directory", "path": str(directory), "licence": "MIT"}
    return merge(SETTINGS, {"teacher": {"source": source}})


@pytest.fixture(scope="session")
def build_run_params(default_params, settings):
    """Return a factory of the parameters of the run with changes."""

    def build(changes):
        content = merge(yaml.safe_load(default_params), merge(settings, changes))
        content["teacher"]["source"] = settings["teacher"]["source"]  # another kind of source has other keys
        return parse_params(content)

    return build


def labelled_rows(tiny_texts):
    """Rows of all splits. Their last words differ, so that no text is twice, and consist of the same tokens."""
    rows = {}
    for at, (split, words) in enumerate({"train": ("ab", "ba"), "validation": ("aa",), "test": ("bb",)}.items()):
        texts = [f"{text} {word}" for word in words for text in tiny_texts]
        rows[split] = [scattered_row(1000 * at + number, text, "movie_reviews", label_of(text)) for number, text in enumerate(texts)]
    return rows


@pytest.fixture(scope="session")
def train_run(tmp_path_factory):
    """Return a function that runs the stages on the rows of each split, in a new directory, which it returns."""

    def run(params, rows):
        directory = tmp_path_factory.mktemp("run")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(directory)
            for split, found in rows.items():
                artifacts.write_documents(artifacts.SPLIT / split, found)
            for name in (artifacts.AUGMENTED, artifacts.COUNTERFACTUAL):
                artifacts.write_documents(name, [])
            weights = [{"id": row.id, "weight": 1.0} for row in artifacts.read_documents(artifacts.SPLIT / "train")]
            artifacts.write_table(artifacts.WEIGHTED, weights, artifacts.WEIGHT_SCHEMA)
            for stage in (teacher, tokenize, signals, distill_train):
                stage.main(params)
        return directory

    return run


@pytest.fixture(scope="session")
def finished(train_run, build_run_params, tiny_texts):
    """The directory of a run without faults, and its parameters."""
    params = build_run_params({})
    return train_run(params, labelled_rows(tiny_texts)), params


@pytest.fixture
def params(finished, tmp_path, monkeypatch):
    """The parameters of the run; its copy is the working directory."""
    shutil.copytree(finished[0], tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    return finished[1]


@pytest.fixture
def faults(params):
    """Return a function that examines the copy and returns the names of faults by subject."""

    def found(changed=None):
        diagnosis = examine(Run(changed or params))
        return {subject: [one.name for one in found] for subject, found in diagnosis.faults.items() if found}

    return found


@pytest.fixture
def rewrite():
    """Return a function that changes the rows of a split."""

    def rewritten(split, change):
        directory = artifacts.SPLIT / split
        artifacts.write_documents(directory, change(artifacts.read_documents(directory)))

    return rewritten
