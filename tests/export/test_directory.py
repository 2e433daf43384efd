import shutil

import numpy as np
import onnx
import pytest
import torch
from transformers import AutoTokenizer, BertForSequenceClassification, BertModel

from compactlm import CompactLM
from compactlm.artifacts import read_json
from compactlm.bert.arrays import unit
from compactlm.bert.sentence_encoder.dense import TANH
from compactlm.bert.sentence_encoder.modules import SentenceModules
from compactlm.errors import CompactLMError
from compactlm.export.directory import export_onnx, write_directory
from compactlm.export.quantization import quantize
from compactlm.inference.runtime.directories import FLOAT_FILE, INT8_FILE
from compactlm.inference.runtime.onnx_session import INPUTS, open_session
from compactlm.inference.runtime.projection import FILE, FIRST, LAST, Projection
from tests.fixtures.encoders import make_dense, make_encoder

NAMES = ("mlm", "sentiment", "embedding")


def random_feeds(rows, length, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(7, 117, (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    if rows > 1:
        mask[1:, length // 2 + 1 :] = 0  # padding after half of every row but the first
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.randint(0, 2, (rows, length), generator=generator)}


def run(path, feeds):
    session = open_session(path, 1)
    return session.run(None, {name: tensor.numpy() for name, tensor in feeds.items()})[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_those_of_transformers_js(export_root, name):
    directory = export_root / name
    files = sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())
    assert files == ["config.json", "onnx/model.onnx", "onnx/model_quantized.onnx", "tokenizer.json", "tokenizer_config.json"]
    kind = {"mlm": "BertForMaskedLM", "sentiment": "BertForSequenceClassification", "embedding": "BertModel"}[name]
    assert read_json(directory / "config.json")["architectures"] == [kind]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", [FLOAT_FILE, INT8_FILE])
def test_a_file_names_inputs_and_outputs_and_has_no_local_path(export_root, name, file):
    proto = onnx.load(export_root / name / file)
    assert tuple(value.name for value in proto.graph.input) == INPUTS
    outputs = ["last_hidden_state", "first_hidden_state"] if name == "embedding" else ["logits"]
    assert [value.name for value in proto.graph.output] == outputs
    assert [entry.version for entry in proto.opset_import if entry.domain == ""] == [18]
    content = (export_root / name / file).read_bytes()
    for part in (b"site-packages", b".py", str(export_root).encode()):
        assert part not in content


@pytest.mark.parametrize(("rows", "length"), [(1, 2), (1, 64), (5, 9)])
def test_fp32_agrees_with_the_original_for_any_rows_and_tokens(export_root, classifier, masked, rows, length):
    feeds = random_feeds(rows, length)
    for name, model in (("mlm", masked), ("sentiment", classifier), ("embedding", masked.bert)):
        found = run(export_root / name / FLOAT_FILE, feeds)
        with torch.inference_mode():
            expected = model.eval()(**feeds)[0].numpy()
        assert found.shape == expected.shape
        real = feeds["attention_mask"].numpy().astype(bool) if found.ndim == 3 else slice(None)
        np.testing.assert_allclose(found[real], expected[real], atol=1e-4)


def test_a_second_export_gives_the_same_bytes_and_does_not_change_the_model(export_root, classifier, tmp_path):
    export_onnx(classifier.train(), tmp_path / "again.onnx", 18)
    quantize(tmp_path / "again.onnx", tmp_path / "int8.onnx")
    for name, file in (("again.onnx", FLOAT_FILE), ("int8.onnx", INT8_FILE)):
        assert (tmp_path / name).read_bytes() == (export_root / "sentiment" / file).read_bytes()
    assert len(list(tmp_path.iterdir())) == 2
    assert classifier.config._attn_implementation == "sdpa"


@pytest.mark.parametrize(("key", "value"), [("hidden_act", "relu"), ("is_decoder", True), ("tie_word_embeddings", False)])
def test_a_model_with_an_unsupported_setting_is_refused(tiny_classifier, tmp_path, key, value):
    other = BertForSequenceClassification.from_pretrained(tiny_classifier)
    setattr(other.config, key, value)
    with pytest.raises(CompactLMError, match=rf"model\.onnx cannot be written for a model with .*{key} '?{value}"):
        export_onnx(other, tmp_path / "model.onnx", 18)
    assert not list(tmp_path.iterdir())


def test_the_last_layer_of_a_classifier_computes_one_position(export_root, tmp_path):
    proto = onnx.load(export_root / "sentiment" / FLOAT_FILE)
    inner = [f"bert.encoder.layer.{layer}/inner" for layer in (0, 1)]
    proto.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in inner)
    onnx.save_model(proto, tmp_path / "model.onnx")
    feeds = {name: tensor.numpy() for name, tensor in random_feeds(3, 9).items()}
    _, whole, last = open_session(tmp_path / "model.onnx", 1).run(None, feeds)
    assert (whole.shape, last.shape) == ((3, 9, 64), (3, 1, 64))


def test_the_embedding_has_the_outputs_that_its_projection_needs(tiny_bert, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(tiny_bert, source)
    model = BertModel.from_pretrained(source).eval()
    Projection((FIRST, LAST), np.zeros(64, np.float32), np.eye(64, dtype=np.float32)).save(source)
    write_directory(model, source, tmp_path / "embedding", 18)
    assert (tmp_path / "embedding" / FILE).read_bytes() == (source / FILE).read_bytes()
    feeds = random_feeds(3, 9)
    with torch.inference_mode():
        states = model(**feeds, output_hidden_states=True).hidden_states
    names = ["first_hidden_state", "last_hidden_state"]
    found = open_session(tmp_path / "embedding" / FLOAT_FILE, 1).run(names, {name: tensor.numpy() for name, tensor in feeds.items()})
    for values, state in zip(found, (states[0], states[-1]), strict=True):
        np.testing.assert_allclose(values, state.numpy(), atol=1e-4)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory, tiny_bert):
    """A student's sentence encoder with a dense layer of 48 numbers, and its export."""
    root = tmp_path_factory.mktemp("encoder")
    source = make_encoder(tiny_bert, root / "student", dense=(make_dense(32, 48),), maximum_length=40)
    write_directory(BertModel.from_pretrained(source, add_pooling_layer=False).eval(), source, root / "export", 18)
    return source, root / "export"


@pytest.mark.parametrize(("backend", "tolerance"), [("onnx", 1e-5), ("int8", 0.06)])
def test_mean_and_normalisation_over_the_file_give_the_vectors(encoder, tiny_texts, backend, tolerance):
    source, exported = encoder
    expected = CompactLM(source, backend="torch").embed(tiny_texts[:20])
    np.testing.assert_allclose(CompactLM(exported, backend=backend).embed(tiny_texts[:20]), expected, atol=tolerance)
    tokenizer = AutoTokenizer.from_pretrained(exported)
    inputs = dict(tokenizer(tiny_texts[:20], padding=True, return_tensors="np", return_token_type_ids=True))
    session = open_session(exported / {"onnx": FLOAT_FILE, "int8": INT8_FILE}[backend], 1)
    assert [output.name for output in session.get_outputs()] == ["last_hidden_state"]
    (tokens,) = session.run(None, inputs)
    assert tokens.shape[2] == 48
    mask = inputs["attention_mask"][:, :, None]
    means = (tokens * mask).sum(axis=1) / mask.sum(axis=1)
    np.testing.assert_allclose(unit(means), expected, atol=tolerance)


def test_an_exported_encoder_has_its_dense_layer_only_in_the_graph(encoder):
    modules = SentenceModules.read(encoder[1])
    assert (modules.pooling, modules.dense, modules.normalise, modules.maximum_length) == (("mean",), (), True, 40)
    assert read_json(encoder[1] / "1_Pooling/config.json")["word_embedding_dimension"] == 48


@pytest.mark.parametrize("modules", [{"pooling": ("cls",)}, {"dense": (make_dense(32, 8, activation=TANH),)}])
def test_an_encoder_whose_vectors_are_no_means_is_refused(tiny_bert, tmp_path, modules):
    source = make_encoder(tiny_bert, tmp_path / "source", **modules)
    with pytest.raises(CompactLMError, match="cannot be exported, because its vectors are not means"):
        write_directory(BertModel.from_pretrained(source), source, tmp_path / "export", 18)
