"""The vectors of our reading of a directory equal those of sentence-transformers."""

import json

import numpy as np
import pytest

from compactlm.bert.sentence_encoder.dense import TANH
from compactlm.bert.sentence_encoder.encoding import SentenceEncoder
from tests.fixtures.encoders import copy_body, make_dense, make_encoder

sentence_transformers = pytest.importorskip("sentence_transformers")


def check_vectors(directory, texts):
    expected = sentence_transformers.SentenceTransformer(str(directory), device="cpu").encode(texts)
    found = SentenceEncoder.load(directory).encode(texts, 300, "encode")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert np.std(expected, axis=0).min() > 1e-4  # the texts have different vectors


@pytest.mark.parametrize(
    "modules",
    [
        {},
        {"normalise": False, "pooling": ("cls",)},
        {"pooling": ("weightedmean", "max")},
        {"pooling": ("max", "mean_sqrt_len_tokens", "lasttoken"), "normalise": False},
        {"dense": (make_dense(32, 48, 1), make_dense(48, 8, 2, bias=None, activation=TANH)), "maximum_length": 12},
    ],
    ids=["mean", "cls", "order", "three", "dense"],
)
def test_written_modules_load_in_sentence_transformers(tmp_path, tiny_bert, tiny_texts, modules):
    directory = make_encoder(tiny_bert, tmp_path / "encoder", **modules)
    longest = " ".join(tiny_texts)  # more tokens than the BERT has positions
    check_vectors(directory, [*tiny_texts[:20], longest, "", "a"])


@pytest.mark.parametrize("include_prompt", [True, False])
def test_files_that_sentence_transformers_writes_are_read(tmp_path, tiny_bert, tiny_texts, include_prompt):
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    body = modules.Transformer(str(copy_body(tiny_bert, tmp_path / "body")), processor_kwargs={"model_max_length": 16})
    pooling = modules.Pooling(32, "mean", include_prompt=include_prompt)
    prompts = {"query": "the old dog : ", "document": ""}
    layers = [body, pooling, modules.Dense(32, 8), modules.Normalize()]
    sentence_transformers.SentenceTransformer(modules=layers, prompts=prompts, default_prompt_name="query", device="cpu").save_pretrained(
        str(tmp_path / "saved")
    )
    encoder = SentenceEncoder.load(tmp_path / "saved")
    assert encoder.maximum_length == 16
    assert encoder.modules.include_prompt is include_prompt
    check_vectors(tmp_path / "saved", tiny_texts[:20])


def test_lower_casing_happens_before_the_tokenizer(tmp_path, tiny_bert, tiny_texts):
    directory = make_encoder(tiny_bert, tmp_path / "encoder", maximum_length=32)
    state = json.loads((directory / "tokenizer.json").read_text())
    state["normalizer"]["lowercase"] = False
    (directory / "tokenizer.json").write_text(json.dumps(state))
    settings = json.loads((directory / "tokenizer_config.json").read_text())
    (directory / "tokenizer_config.json").write_text(json.dumps(settings | {"do_lower_case": False}))
    shouted = [text.upper() for text in tiny_texts[:20]]
    before = SentenceEncoder.load(directory).encode(shouted, 300, "encode")
    (directory / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32, "do_lower_case": True}))
    assert not np.allclose(SentenceEncoder.load(directory).encode(shouted, 300, "encode"), before, atol=0.1)
    check_vectors(directory, shouted)


def test_a_shorter_maximum_length_may_be_asked_for(tmp_path, tiny_bert):
    encoder = SentenceEncoder.load(make_encoder(tiny_bert, tmp_path / "encoder", maximum_length=12))
    text = "the old dog played with a very cold cat by the river"
    assert [len(encoder.tokenize([text], length)[0]) for length in (None, 5, 40)] == [12, 5, 12]
