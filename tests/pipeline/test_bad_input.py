"""Bad input ends a stage with one sentence and leaves nothing half-written."""

from __future__ import annotations

import gzip
import hashlib

import pytest
from safetensors.torch import load_file, save_file

from compactlm.artifacts import write_documents
from tests.fixtures.builders import make_row
from tests.fixtures.checkout import Checkout, new_checkout

pytestmark = pytest.mark.slow

GOOD = "kind,message\n" + "".join(f"{'spam' if row % 2 else 'ham'},message number {row} of the file\n" for row in range(40))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose only source is a good local file."""
    fresh = new_checkout(tmp_path_factory.mktemp("bad-input"))
    content = fresh.params()
    content["tasks"] = {"spam": {"sources": ["messages"], "labels": ["ham", "spam"], "metric": "accuracy"}}
    content["ingest"]["sources"] = {
        "messages": {
            "kind": "files",
            "path": "data/sources/messages.csv",
            "format": "csv",
            "header": True,
            "encoding": "utf-8",
            "sha256": None,
            "version": "1",
            "columns": {"text": "message", "document": None, "label": {"column": "kind", "names": None}, "attributes": {}},
            "limit": None,
            "licence": "own",
            "homepage": "none",
        }
    }
    content["signals"]["task"]["unlabelled"] = []
    content["bias_audit"]["protected"] = {}
    fresh.write_params(content)
    return fresh


@pytest.fixture
def messages(checkout):
    """The good file and parameters, and both again after the test."""
    file, before = checkout.path("data/sources/messages.csv"), checkout.path("params.yaml").read_text()
    file.write_text(GOOD)
    yield file
    file.unlink(missing_ok=True)
    checkout.path("params.yaml").write_text(before)


def change(checkout, key, value):
    content = checkout.params()
    *parents, last = key.split(".")
    section = content
    for parent in parents:
        section = section[parent]
    section[last] = value
    checkout.write_params(content)


def refused(checkout, stage, *words):
    output = checkout.run("python", "-m", f"compactlm.stages.{stage}", fails=True, HF_HUB_OFFLINE="1")
    lines = [line for line in output.splitlines() if line.strip() and "\r" not in line]
    message = lines[-1]
    assert "Traceback" not in output, output
    assert message.startswith(f"{stage.replace('_', '-')}: "), output
    for word in words:
        assert word in message, message
    unfinished = [path for root in ("data", "models", "reports") for path in checkout.path(root).rglob("*unfinished*")]
    assert unfinished == []
    return message


def test_good_input_passes(checkout, messages):
    checkout.run("python", "-m", "compactlm.stages.ingest")
    assert checkout.path("data/raw").is_dir()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("distill.task.temprature", 2.0, ["distill.task.temprature", "not a known parameter", "spelling"]),
        ("student.layers", "four", ["student.layers", "'four'", "integer"]),
        ("student.layers", True, ["student.layers"]),
        ("split.train", 1.7, ["split.train", "1.7", "less than 1"]),
        ("split.train", 0.5, ["split", "add up to 0.8", "make them add up to 1"]),
        ("augment.share_of_words", -0.1, ["augment.share_of_words"]),
        ("student.hidden_size", 256, ["student.budget", "student.vocabulary_size: fit", "lower student.layers"]),
        ("tasks.spam.sources", ["letters"], ["tasks.spam.sources", "'letters'", "ingest.sources"]),
        ("ingest.sources.messages.path", "data/sources/none.csv", ["messages", "none.csv"]),
        ("ingest.sources.messages.sha256", "0" * 64, ["messages", "sha256", hashlib.sha256(GOOD.encode()).hexdigest()]),
        ("ingest.sources.messages.columns.text", "body", ["messages", "body", "message"]),
        ("ingest.sources.messages.kind", "file", ["ingest.sources.messages.kind is 'file'", "files, hub, package"]),
        (
            "ingest.sources.messages.columns.label",
            {"column": "kind", "name": None},
            ["label.names is missing", "label.name is not a known"],
        ),
    ],
)
def test_bad_parameters(checkout, messages, key, value, words):
    change(checkout, key, value)
    refused(checkout, "ingest", *words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["messages"]),
        (b"kind,message\n", ["messages"]),
        (GOOD.replace("ham", "eggs").encode(), ["eggs", "ham, spam"]),
        (GOOD.replace("ham", "spam").encode(), ["tasks.spam", "spam"]),
        (GOOD.encode() + b"ham,broken \xff\xfe bytes\n", ["utf-8", "encoding"]),
    ],
    ids=["empty", "header-only", "undeclared-label", "one-class", "broken-utf-8"],
)
def test_bad_files(checkout, messages, content, words):
    messages.write_bytes(content)
    refused(checkout, "ingest", *words)


def test_a_truncated_gz(checkout, messages):
    file = checkout.path("data/sources/messages.csv.gz")
    file.write_bytes(gzip.compress(GOOD.encode())[:-20])
    change(checkout, "ingest.sources.messages.path", "data/sources/messages.csv.gz")
    refused(checkout, "ingest", "messages.csv.gz")
    file.unlink()


def test_an_old_artifact_outlives_a_failure(checkout, messages):
    checkout.run("python", "-m", "compactlm.stages.ingest")
    before = checkout.path("data/raw/part-00000.parquet").read_bytes()
    messages.write_bytes(b"kind,message\n")
    refused(checkout, "ingest", "messages")
    assert checkout.path("data/raw/part-00000.parquet").read_bytes() == before


def test_a_stage_before_its_inputs(checkout, messages):
    refused(checkout, "export", "data/tokenized", "dvc repro")


@pytest.fixture
def teacher(checkout, messages, tiny_bert):
    """Splits, and a teacher's directory with parameters that name it."""
    for name in ("train", "validation"):
        rows = [make_row(row, f"a good film {row}", "messages", "ham", task="spam") for row in range(4)]
        write_documents(checkout.path("data/split", name), rows)
    directory = checkout.path("models/sources/tiny")
    directory.mkdir(parents=True, exist_ok=True)
    for file in tiny_bert.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    change(checkout, "teacher.source", {"kind": "directory", "path": "models/sources/tiny", "licence": "own"})
    change(checkout, "teacher.parameters", None)
    change(checkout, "teacher.maximum_length", 64)  # all that the tiny teacher reads
    change(checkout, "tokenize.maximum_length", 64)
    return directory


def test_a_teacher_without_weights(checkout, teacher):
    (teacher / "model.safetensors").unlink()
    refused(checkout, "teacher", "models/sources/tiny", "model.safetensors", "save_pretrained")
    assert not checkout.path("models/teacher").exists()


def test_a_teacher_with_another_vocabulary(checkout, teacher):
    weights = load_file(teacher / "model.safetensors")
    name = next(name for name in weights if name.endswith("word_embeddings.weight"))
    weights[name] = weights[name][:-7].clone()
    save_file(weights, teacher / "model.safetensors", metadata={"format": "pt"})
    refused(checkout, "teacher", "models/sources/tiny", "tokenizer", "trained with")


def test_the_hub_is_off(checkout, messages):
    source = {"kind": "hub", "model": "google-bert/bert-base-uncased", "revision": None, "licence": "Apache-2.0"}
    write_documents(checkout.path("data/split/train"), [])
    write_documents(checkout.path("data/split/validation"), [])
    change(checkout, "teacher.source", source)
    refused(checkout, "teacher", "google-bert/bert-base-uncased", "teacher.source", "PRESET=default")
    hub = {"kind": "hub", "dataset": "wikimedia/wikipedia", "name": "20231101.en", "revision": None, "split": "train", "streaming": True}
    columns = {"text": "text", "document": None, "label": None, "attributes": {}}
    content = checkout.params()
    content["ingest"]["sources"]["articles"] = {**hub, "columns": columns, "limit": 10, "licence": "own", "homepage": "none"}
    checkout.write_params(content)
    refused(checkout, "ingest", "articles", "wikimedia/wikipedia", "local directory", "PRESET=default")
