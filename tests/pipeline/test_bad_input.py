"""Bad input ends a stage with one sentence and leaves no unfinished files. The tests of each package check its other sentences."""

import pytest

from compactlm.artifacts import write_documents
from tests.fixtures.builders import make_row
from tests.fixtures.checkout import Checkout, new_checkout

pytestmark = pytest.mark.slow

GOOD = "kind,message\n" + "".join(f"{'spam' if row % 2 else 'ham'},message number {row} of the file\n" for row in range(40))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout whose only source is a valid local file."""
    fresh = new_checkout(tmp_path_factory.mktemp("bad-input"))
    content = fresh.params()
    content["tasks"] = {"spam": {"sources": ["messages"], "labels": ["ham", "spam"], "metric": "accuracy"}}
    source = {"kind": "files", "path": "data/sources/messages.csv", "columns": {"text": "message", "label": "kind"}}
    content["ingest"]["sources"] = {"messages": source}
    content["signals"]["task"]["unlabelled"] = []
    content["evaluate"]["embedding"]["retrieval"] = []
    content["bias_audit"]["protected"] = {}
    fresh.write_params(content)
    return fresh


@pytest.fixture
def messages(checkout):
    """Write the valid file, and restore it and the parameters after the test."""
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


def test_valid_input_passes(checkout, messages):
    checkout.run("python", "-m", "compactlm.stages.ingest")
    assert checkout.path("data/raw").is_dir()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("distill.task.temprature", 2.0, ["distill.task.temprature", "not a known parameter", "spelling"]),
        ("ingest.sources.messages.path", "data/sources/none.csv", ["messages", "none.csv"]),
        ("ingest.sources.messages.kind", "file", ["ingest.sources.messages.kind is 'file'", "files, hub, package"]),
        (
            "ingest.sources.messages.columns.label",
            {"column": "kind", "name": None},
            ["label.names is missing", "label.name is not a known"],
        ),
    ],
)
def test_bad_parameters_are_refused(checkout, messages, key, value, words):
    change(checkout, key, value)
    refused(checkout, "ingest", *words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GOOD.replace("ham", "eggs").encode(), ["eggs", "ham, spam"]),
        (GOOD.encode() + b"ham,broken \xff\xfe bytes\n", ["utf-8", "encoding"]),
    ],
    ids=["undeclared-label", "broken-utf-8"],
)
def test_bad_files_are_refused(checkout, messages, content, words):
    messages.write_bytes(content)
    refused(checkout, "ingest", *words)


def test_a_failure_keeps_the_old_artifact(checkout, messages):
    checkout.run("python", "-m", "compactlm.stages.ingest")
    before = checkout.path("data/raw/part-00000.parquet").read_bytes()
    messages.write_bytes(b"kind,message\n")
    refused(checkout, "ingest", "messages")
    assert checkout.path("data/raw/part-00000.parquet").read_bytes() == before


def test_a_stage_without_its_inputs_is_refused(checkout, messages):
    refused(checkout, "export", "data/tokenized", "dvc repro")


@pytest.fixture
def teacher(checkout, messages, tiny_bert):
    """Write splits, a teacher's directory and the parameters that name it."""
    for name in ("train", "validation"):
        rows = [make_row(row, f"a good film {row}", "messages", "ham", task="spam") for row in range(4)]
        write_documents(checkout.path("data/split", name), rows)
    directory = checkout.path("models/sources/tiny")
    directory.mkdir(parents=True, exist_ok=True)
    for file in tiny_bert.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    change(checkout, "teacher.source", {"kind": "directory", "path": "models/sources/tiny", "licence": "own"})
    change(checkout, "teacher.parameters", None)
    change(checkout, "teacher.maximum_length", 64)  # the tiny teacher's maximum
    change(checkout, "tokenize.maximum_length", 64)
    return directory


def test_a_teacher_without_weights_is_refused(checkout, teacher):
    (teacher / "model.safetensors").unlink()
    refused(checkout, "teacher", "models/sources/tiny", "model.safetensors", "save_pretrained")
    assert not checkout.path("models/teacher").exists()
