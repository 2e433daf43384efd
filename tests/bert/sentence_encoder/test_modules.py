import json

import numpy as np
import pytest

from compactlm.bert.sentence_encoder.dense import IDENTITY, TANH
from compactlm.bert.sentence_encoder.modules import SentenceModules, is_sentence_encoder
from compactlm.errors import CompactLMError
from tests.fixtures.encoders import make_dense

OLD = {"word_embedding_dimension": 4, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False}


def write(directory, kinds=("Transformer", "Pooling", "Normalize"), pooling=OLD, dense=(), **files):
    """Write an encoder's files, without weights of a BERT, as old versions do; other arguments are names and contents of files."""
    listed = [
        {"idx": number, "name": str(number), "path": f"{number}_{kind}" if number else "", "type": f"sentence_transformers.models.{kind}"}
        for number, kind in enumerate(kinds)
    ]
    (directory / "1_Pooling").mkdir()
    files = {"config": {"hidden_size": 4, "max_position_embeddings": 64}, "modules": listed, "1_Pooling/config": pooling, **files}
    for name, content in files.items():
        (directory / f"{name}.json").write_text(json.dumps(content))
    for number, layer in enumerate(dense, start=2):
        layer.write(directory / f"{number}_Dense")
    return directory


def test_files_of_version_2(tmp_path):
    modules = SentenceModules.read(write(tmp_path, sentence_bert_config={"max_seq_length": 32, "do_lower_case": True}))
    assert (modules.pooling, modules.normalise, modules.maximum_length, modules.dense) == (("mean",), True, 32, ())
    assert modules.prompt == ""
    assert modules.prepare(["A Text"]) == ["a text"]


def test_files_of_version_6(tmp_path):
    listed = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.sentence_transformer.modules.pooling.Pooling"},
    ]
    pooling = {"embedding_dimension": 4, "pooling_mode": ["max", "cls"], "include_prompt": False}
    modules = SentenceModules.read(write(tmp_path, modules=listed, pooling=pooling, tokenizer_config={"model_max_length": 48}))
    assert (modules.pooling, modules.include_prompt, modules.normalise, modules.maximum_length) == (("max", "cls"), False, False, 48)


@pytest.mark.parametrize(
    ("stated", "tokenizer", "expected"),
    [(256, 48, 64), (None, 10**30, None), (None, 512, 64), (20, 512, 20), (None, None, None)],
    ids=["positions", "no limit", "positions of the tokenizer", "stated", "nothing"],
)
def test_the_maximum_length_is_the_stated_one_within_the_positions(tmp_path, stated, tokenizer, expected):
    write(tmp_path, sentence_bert_config={"max_seq_length": stated}, tokenizer_config={"model_max_length": tokenizer})
    assert SentenceModules.read(tmp_path).maximum_length == expected


def test_prompts_stand_before_texts(tmp_path):
    settings = {"prompts": {"query": "Query: ", "document": ""}, "default_prompt_name": "query"}
    modules = SentenceModules.read(write(tmp_path, config_sentence_transformers=settings))
    assert modules.prompts == {"query": "Query: ", "document": ""}
    assert modules.prepare(["A", "b"]) == ["Query: A", "Query: b"]


def test_a_default_prompt_without_text_is_refused(tmp_path):
    modules = SentenceModules.read(write(tmp_path, config_sentence_transformers={"prompts": {"a": "x"}, "default_prompt_name": "b"}))
    with pytest.raises(CompactLMError, match=r"default_prompt_name is 'b'.*prompts are a"):
        modules.prepare(["text"])


def test_poolings_of_old_files_stand_in_the_order_of_the_switches(tmp_path):
    pooling = OLD | {"pooling_mode_cls_token": True, "pooling_mode_lasttoken": True}
    assert SentenceModules.read(write(tmp_path, pooling=pooling)).pooling == ("cls", "mean", "lasttoken")


def test_dense_layers_follow_the_pooling(tmp_path):
    layers = [make_dense(4, 3, 1, activation=TANH), make_dense(3, 2, 2, bias=None)]
    modules = SentenceModules.read(write(tmp_path, ("Transformer", "Pooling", "Dense", "Dense", "Dropout", "Normalize"), dense=layers))
    assert modules.parameters == 4 * 3 + 3 + 3 * 2
    assert [layer.activation for layer in modules.dense] == [TANH, IDENTITY]
    hidden = np.random.default_rng(0).normal(size=(5, 6, 4)).astype(np.float32)
    mask = np.arange(6)[None] < np.array([6, 5, 3, 2, 1])[:, None]
    pooled = np.stack([row[own].mean(axis=0) for row, own in zip(hidden, mask, strict=True)])
    expected = np.tanh(pooled @ layers[0].weight.T + layers[0].bias) @ layers[1].weight.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(modules.apply(modules.pool(hidden, mask)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("pooling", "activation", "expected"), [(("mean",), IDENTITY, True), (("mean",), TANH, False), (("cls",), IDENTITY, False)]
)
def test_only_linear_layers_over_a_mean_may_run_on_each_token(pooling, activation, expected):
    modules = SentenceModules(pooling=pooling, dense=(make_dense(4, 3, activation=activation),), normalise=False)
    assert modules.per_token is expected
    hidden, mask = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32), np.ones((3, 5))
    by_token = modules.dense[0].apply(hidden).mean(axis=1)
    assert np.allclose(by_token, modules.apply(modules.pool(hidden, mask)), atol=1e-5) is expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kinds": ("Transformer", "Pooling", "LSTM")}, "lists the modules Transformer, Pooling, LSTM"),
        ({"kinds": ("Transformer", "Pooling", "Normalize", "Dense")}, "in this order"),
        ({"kinds": ("Transformer", "Normalize")}, "one Pooling"),
        ({"modules": {"a": 1}}, "not a list of modules"),
        ({"modules": [{"type": "sentence_transformers.models.Transformer", "path": "../other"}]}, "in the directory itself"),
        ({"modules": [{"type": "custom.Transformer", "path": ""}]}, r"custom\.Transformer"),
        ({"pooling": {"pooling_mode": "middle"}}, "has the pooling middle; use a sentence encoder with cls, max"),
        ({"pooling": OLD | {"pooling_mode_middle_token": True}}, "has the pooling pooling_mode_middle_token"),
        ({"pooling": [1]}, "not a JSON object"),
        ({"config": {}}, "no hidden_size"),
        ({"kinds": ("Transformer", "Pooling", "Dense"), "dense": [make_dense(5, 3)]}, "reads vectors of width 5, but gets 4"),
    ],
)
def test_what_cannot_be_computed_is_refused(tmp_path, changes, message):
    with pytest.raises(CompactLMError, match=message):
        SentenceModules.read(write(tmp_path, **changes))


def test_a_damaged_file_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / "modules.json").write_text("[{")
    with pytest.raises(CompactLMError, match=r"modules\.json cannot be read"):
        is_sentence_encoder(tmp_path)


def test_a_sentence_encoder_has_a_module_that_pools(tmp_path):
    assert not is_sentence_encoder(tmp_path)
    assert is_sentence_encoder(write(tmp_path))
    sparse = [{"type": "sentence_transformers.sparse_encoder.models.SpladePooling", "path": "1_SpladePooling"}]
    (tmp_path / "modules.json").write_text(json.dumps(sparse))
    assert not is_sentence_encoder(tmp_path)


ENCODER = "config_sentence_transformers"


@pytest.mark.parametrize(
    ("pooling", "files"),
    [
        ({"pooling_mode": 3}, {}),
        ({"pooling_mode": ["mean", ["cls"]]}, {}),
        ({"pooling_mode": {"mean": True}}, {}),
        (OLD, {ENCODER: {"prompts": ["query: "]}}),
        (OLD, {ENCODER: {"default_prompt_name": ["query"]}}),
        (OLD, {ENCODER: []}),
    ],
)
def test_values_of_another_type_are_refused(tmp_path, pooling, files):
    with pytest.raises(CompactLMError):
        SentenceModules.read(write(tmp_path, pooling=pooling, **files))


@pytest.mark.parametrize("name", ["1_Pooling/config.json", "modules.json", f"{ENCODER}.json"])
def test_a_file_that_is_nested_deeply_is_refused(tmp_path, name):
    (write(tmp_path) / name).write_text("[" * 100_000)
    with pytest.raises(CompactLMError, match="cannot be read"):
        SentenceModules.read(tmp_path)


def test_positions_of_another_type_set_no_length(tmp_path):
    config = {"hidden_size": 4, "max_position_embeddings": "many"}
    modules = SentenceModules.read(write(tmp_path, config=config, sentence_bert_config={"max_seq_length": 32}))
    assert modules.maximum_length == 32
