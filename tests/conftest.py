"""What several test files share: a tiny BERT with a vocabulary of its own, so that no test needs a download."""

import json
import os
import shutil
import string
import warnings
from pathlib import Path

# Read when the libraries are imported: nothing here may reach the network or send telemetry.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Threads that wait let others work: a stage's 2 threads beside another worker's test took 4 to 6 times the CPU time when they
# waited in a loop, and ended in the same bytes.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
import torch
import transformers
from hypothesis import HealthCheck, settings
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel, BertTokenizer

# One thread: the models are tiny, and bit-identical results need a fixed number.
torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
settings.load_profile("tests")

# With several workers each takes the next file when it has done one: the longest begin, else one would end alone.
LONGEST = ["test_smoke.py", "test_bert_base.py", "test_report_stage.py"]


def pytest_collection_modifyitems(config, items):
    """Begin with the longest files where several workers run; one process alone keeps to the order of the names."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_make_parametrize_id(val, argname):
    """Name bytes after their argument: archives hold the time, and all workers must find tests of the same names."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


# [PAD] first and the other special tokens after unused tokens, as in bert-base-uncased.
SPECIAL_AND_UNUSED = ["[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MARKS = list(".,!?'[]") + list("0123456789") + ["é", "##é"]
ENDINGS = ["##s", "##ing", "##ed", "##ly", "##er", "##est", "##ness"]
WORDS = (
    "the a film was good bad very warm cold and it story actor played with an old young dog cat house "
    "river slow quick bright dark plot ending loved hated never again people music"
).split()
LETTERS = [form for letter in string.ascii_lowercase for form in (letter, f"##{letter}")]
SUBJECTS = ("the film", "a slow story", "the old actor", "young people", "the bright music", "a quick plot")
VERDICTS = ("was very good", "was bad", "loved the ending", "hated it", "never played again", "was warm and dark")
TAILS = (".", "!", ", and the dog played with a cat.", " by the river in winter 1999?")


@pytest.fixture(scope="session")
def tiny_tokens():
    """Tokens of the tiny teacher, each at its id."""
    return list(dict.fromkeys([*SPECIAL_AND_UNUSED, *MARKS, *LETTERS, *ENDINGS, *WORDS]))


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny_tokens):
    """The tiny teacher's lower-casing WordPiece tokenizer."""
    return BertTokenizer(vocab={token: index for index, token in enumerate(tiny_tokens)}, model_max_length=64)


@pytest.fixture(scope="session")
def tiny_texts():
    """144 different sentences of ordinary letters, long and short."""
    return [f"{subject} {verdict}{tail}" for subject in SUBJECTS for verdict in VERDICTS for tail in TAILS]


@pytest.fixture(scope="session")
def tiny_sequences(tiny_tokenizer, tiny_texts):
    """The sentences as token ids, [CLS] and [SEP] included."""
    return tiny_tokenizer(tiny_texts)["input_ids"]


@pytest.fixture(scope="session")
def tiny_config(tiny_tokens):
    """The tiny teacher's shape: 2 layers of 32, dropout 0.1."""
    return BertConfig(
        vocab_size=len(tiny_tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,  # large enough that different inputs give clearly different outputs
    )


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory, tiny_config, tiny_tokenizer):
    """A directory with the tiny masked language model and its tokenizer; tests only read it."""
    directory = tmp_path_factory.mktemp("tiny") / "mlm"
    torch.manual_seed(5)
    BertForMaskedLM(tiny_config).save_pretrained(directory)
    tiny_tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tiny_classifier(tmp_path_factory, tiny_config, tiny_tokenizer):
    """A directory with a tiny classifier of 2 labels and its tokenizer; tests only read it."""
    directory = tmp_path_factory.mktemp("tiny") / "classifier"
    torch.manual_seed(6)
    BertForSequenceClassification(tiny_config).save_pretrained(directory)
    tiny_tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def balanced_classifier(tmp_path_factory, tiny_classifier, tiny_tokenizer, tiny_texts):
    """The same with a bias by which half of the tiny texts get each label; tests only read it."""
    directory = tmp_path_factory.mktemp("tiny") / "balanced"
    model = BertForSequenceClassification.from_pretrained(tiny_classifier).eval()
    with torch.inference_mode():
        logits = model(**tiny_tokenizer(tiny_texts, padding=True, return_tensors="pt")).logits
    with torch.no_grad():
        model.classifier.bias[1] -= float((logits[:, 1] - logits[:, 0]).median())
    model.save_pretrained(directory)
    tiny_tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def exported(tmp_path_factory, tiny_bert, tiny_classifier):
    """A directory with the tiny models exported to mlm, sentiment and embedding; tests only read it."""
    from compactlm.export.directory import write_directory

    directory = tmp_path_factory.mktemp("export")
    masked = BertForMaskedLM.from_pretrained(tiny_bert)
    classifier = BertForSequenceClassification.from_pretrained(tiny_classifier)
    for name, model, source in (
        ("mlm", masked, tiny_bert),
        ("sentiment", classifier, tiny_classifier),
        ("embedding", masked.bert, tiny_bert),
    ):
        write_directory(model, source, directory / name, 18)
    return directory


@pytest.fixture(scope="session")
def default_params():
    """The text of params.yaml for the default preset, whatever params.yaml holds just now."""
    from compactlm.presets import compose

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(__file__).parents[1])
        return compose("default")


ONNX_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
MODEL_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


@pytest.fixture(scope="session")
def student_root(tmp_path_factory, tiny_bert, tiny_classifier, tiny_tokenizer, tiny_texts):
    """A directory as models/student, whose classifier gives each label to half of tiny_texts; tests only read it."""
    root = tmp_path_factory.mktemp("student")
    shutil.copytree(tiny_bert, root / "mlm")
    shutil.copytree(tiny_classifier, root / "sentiment")
    model = BertForSequenceClassification.from_pretrained(tiny_classifier).eval()
    with torch.inference_mode():
        logits = model(**tiny_tokenizer(tiny_texts, padding=True, return_tensors="pt")).logits
    model.classifier.bias.data[0] -= (logits[:, 0] - logits[:, 1]).median()
    model.save_pretrained(root / "sentiment")
    path = root / "sentiment" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "id2label": {"0": "negative", "1": "positive"}, "label2id": {"negative": 0, "positive": 1}}))
    return root


class _Output(torch.nn.Module):
    def __init__(self, model, name):
        super().__init__()
        self.model, self.name = model, name

    def forward(self, input_ids, attention_mask, token_type_ids):
        return getattr(self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids), self.name)


def write_onnx(model, path, output):
    """Write a model as ONNX, whatever the pipeline's own exporter does; this one is quicker, and warns that it is the older."""
    path.parent.mkdir(parents=True)
    example = [torch.ones(2, 8, dtype=torch.int64) for _ in ONNX_INPUTS]
    example[1][0, 5:] = 0  # else the mask is found to be needless, and left out of the file
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Output(model.eval(), output),
            tuple(example),
            str(path),
            dynamo=False,
            opset_version=18,
            input_names=list(ONNX_INPUTS),
            output_names=[output],
            dynamic_axes={name: {0: "batch", 1: "sequence"} for name in ONNX_INPUTS},
        )


@pytest.fixture(scope="session")
def export_root(tmp_path_factory, student_root):
    """A directory as models/export, with a pooling-free embedding; tests only read it."""
    root = tmp_path_factory.mktemp("export")
    for name, source, kind, output in (
        ("mlm", "mlm", BertForMaskedLM, "logits"),
        ("sentiment", "sentiment", BertForSequenceClassification, "logits"),
        ("embedding", "mlm", BertModel, "last_hidden_state"),
    ):
        options = {"add_pooling_layer": False} if kind is BertModel else {}
        write_onnx(kind.from_pretrained(student_root / source, **options), root / name / "onnx" / "model.onnx", output)
        for file in MODEL_FILES:
            shutil.copyfile(student_root / source / file, root / name / file)
    return root


@pytest.fixture(scope="session")
def on_torch(student_root):
    """The tiny model on torch."""
    from compactlm import CompactLM

    return CompactLM(student_root, backend="torch", threads=1)


@pytest.fixture(scope="session")
def on_onnx(export_root):
    """The same on ONNX Runtime."""
    from compactlm import CompactLM

    return CompactLM(export_root, backend="onnx", threads=1)


@pytest.fixture(params=["torch", "onnx"])
def lm(request):
    """The tiny model, on each backend."""
    return request.getfixturevalue(f"on_{request.param}")


@pytest.fixture
def cli(monkeypatch, capsysbinary):
    """Run the command line in this process with some bytes as standard input; return exit status, output and errors."""
    import io
    import sys

    from compactlm.cli import main

    def run(*arguments, given=b""):
        monkeypatch.setattr(sys, "argv", ["compactlm", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capsysbinary.readouterr()
        return caught.value.code or 0, captured.out.decode(), captured.err.decode()

    return run
