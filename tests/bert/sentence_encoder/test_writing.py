import json

import pytest

from compactlm.bert.sentence_encoder.dense import TANH
from compactlm.bert.sentence_encoder.encoding import SentenceEncoder
from compactlm.bert.sentence_encoder.modules import SentenceModules
from compactlm.bert.sentence_encoder.writing import copy_modules, write_modules
from compactlm.errors import CompactLMError
from tests.fixtures.encoders import copy_body, make_dense, make_encoder


@pytest.mark.parametrize("pooling", [("mean",), ("cls", "mean"), ("mean", "cls"), ("lasttoken",)])
def test_written_modules_are_read_again(tmp_path, tiny_bert, pooling):
    layers = (make_dense(32 * len(pooling), 5, activation=TANH), make_dense(5, 4))
    directory = make_encoder(tiny_bert, tmp_path / "encoder", pooling=pooling, dense=layers, normalise=False, maximum_length=20)
    modules = SentenceModules.read(directory)
    assert (modules.pooling, modules.normalise, modules.maximum_length) == (pooling, False, 20)
    assert all((found.weight == layer.weight).all() for found, layer in zip(modules.dense, layers, strict=True))


def test_old_versions_find_only_keys_that_they_know(tmp_path, tiny_bert):
    directory = make_encoder(tiny_bert, tmp_path / "encoder", dense=(make_dense(32, 8),))
    keys = {"word_embedding_dimension", *(f"pooling_mode_{name}_tokens" for name in ("mean", "max", "mean_sqrt_len"))}
    assert set(json.loads((directory / "1_Pooling/config.json").read_text())) == keys | {"pooling_mode_cls_token"}
    dense = json.loads((directory / "2_Dense/config.json").read_text())
    assert set(dense) == {"in_features", "out_features", "bias", "activation_function"}
    kinds = [module["type"] for module in json.loads((directory / "modules.json").read_text())]
    assert kinds == [f"sentence_transformers.models.{name}" for name in ("Transformer", "Pooling", "Dense", "Normalize")]


def test_equal_modules_give_equal_bytes(tmp_path, tiny_bert):
    found = []
    for name in ("a", "b"):
        directory = make_encoder(tiny_bert, tmp_path / name, dense=(make_dense(32, 8),), maximum_length=20)
        found.append({path.relative_to(directory): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()})
    assert found[0] == found[1]


def test_copied_modules_give_the_same_vectors_and_nothing_else_is_copied(tmp_path, tiny_bert, tiny_texts):
    source = make_encoder(tiny_bert, tmp_path / "source", dense=(make_dense(32, 8, activation=TANH),), maximum_length=20)
    settings = {"prompts": {"query": "the "}, "default_prompt_name": "query"}
    (source / "config_sentence_transformers.json").write_text(json.dumps(settings))
    (source / "2_Dense" / "pytorch_model.bin").write_bytes(b"x")
    (source / "code.py").write_text("")
    target = copy_body(tiny_bert, tmp_path / "target")
    before = {path.name for path in target.iterdir()}
    copy_modules(source, target)
    names = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()} - before
    assert names == {
        *("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"),
        *("1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors"),
    }
    found, expected = (SentenceEncoder.load(directory).encode(tiny_texts[:9], 100, "encode") for directory in (target, source))
    assert (found == expected).all()


def test_modules_that_cannot_be_computed_are_not_copied(tmp_path, tiny_bert):
    source = make_encoder(tiny_bert, tmp_path / "source")
    (source / "1_Pooling/config.json").write_text('{"pooling_mode": "middle"}')
    target = copy_body(tiny_bert, tmp_path / "target")
    with pytest.raises(CompactLMError, match="middle"):
        copy_modules(source, target)
    assert not (target / "modules.json").exists()


def test_a_bert_without_modules_gives_the_normalised_mean(tmp_path, tiny_bert, tiny_texts):
    plain, encoder = tiny_bert, make_encoder(tiny_bert, tmp_path / "encoder")
    found, expected = (SentenceEncoder.load(directory).encode(tiny_texts[:9], 100, "encode") for directory in (plain, encoder))
    assert (found == expected).all()


def test_modules_are_not_written_twice(tmp_path, tiny_bert):
    directory = make_encoder(tiny_bert, tmp_path / "encoder")
    with pytest.raises(FileExistsError):
        write_modules(directory)
