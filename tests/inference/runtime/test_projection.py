import shutil

import numpy as np
import onnx
import pytest
import torch
from transformers import AutoTokenizer, BertModel

from compactlm import CompactLM
from compactlm.bert.arrays import unit
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.projection import FILE, FIRST, LAST, LAYERS, Projection, fit_whitening


@pytest.fixture
def vectors():
    generator = np.random.default_rng(0)
    return (generator.normal(size=(500, 8)) @ generator.normal(size=(8, 8)) + 5).astype(np.float32)


def test_whitened_vectors_have_mean_zero_and_equal_variances(vectors):
    found = fit_whitening(vectors, (LAST,), 0.0).apply(vectors)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-3)
    # Features of length 1 vary in one direction less; the variances of the others are equal.
    variances = np.sort(np.linalg.eigvalsh(np.cov(found.T)))
    assert variances[-1] / variances[0] < 1.01


def test_a_floor_limits_the_gain_and_an_infinite_floor_only_centres(vectors):
    gains = [np.linalg.cond(fit_whitening(vectors, (LAST,), floor).weight) for floor in (0.0, 0.1, 1.0)]
    assert gains[0] > gains[1] > gains[2] > 1
    rows = unit(vectors)
    np.testing.assert_allclose(fit_whitening(vectors, (LAST,), np.inf).apply(vectors), rows - rows.mean(axis=0), atol=1e-5)


TEXTS = ["good", "bad film", "old dog"]


def test_a_projection_beside_the_model_is_used(student_root, tmp_path):
    shutil.copytree(student_root / "mlm", tmp_path / "mlm")
    before = CompactLM(tmp_path, threads=1)
    plain, fingerprint = before.embed(TEXTS), before.embedding.fingerprint
    weight = np.eye(32, 5, dtype=np.float32)
    Projection((LAST,), plain[0] / 2, weight).save(tmp_path / "mlm")
    found = CompactLM(tmp_path, threads=1)
    np.testing.assert_allclose(found.embed(TEXTS), unit((plain - plain[0] / 2) @ weight), atol=1e-5)
    assert found.embedding.fingerprint != fingerprint


def test_both_layers_are_used(student_root, tmp_path):
    shutil.copytree(student_root / "mlm", tmp_path / "mlm")
    Projection(LAYERS, np.zeros(64, np.float32), np.eye(64, dtype=np.float32)).save(tmp_path / "mlm")
    found = CompactLM(tmp_path, threads=1).embed(TEXTS) * np.sqrt(2)
    model, tokenizer = BertModel.from_pretrained(student_root / "mlm").eval(), AutoTokenizer.from_pretrained(student_root / "mlm")
    for row, text in zip(found, TEXTS, strict=True):
        with torch.inference_mode():
            states = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        for part, layer in zip((row[:32], row[32:]), (FIRST, LAST), strict=True):
            np.testing.assert_allclose(part, unit(states[layer][0, 1:-1].mean(dim=0).numpy()), atol=1e-5)


def test_an_onnx_file_without_the_first_layer_is_refused(export_root, tmp_path):
    shutil.copytree(export_root / "embedding", tmp_path / "embedding")
    graph = onnx.load(path := tmp_path / "embedding" / "onnx" / "model.onnx")
    graph.graph.output.remove(next(one for one in graph.graph.output if one.name == "first_hidden_state"))
    onnx.save(graph, path)
    Projection(LAYERS, np.zeros(64, np.float32), np.eye(64, dtype=np.float32)).save(tmp_path / "embedding")
    with pytest.raises(CompactLMError, match=r"has no output first_hidden_state, which projection\.safetensors"):
        CompactLM(tmp_path, threads=1).embed(TEXTS)


@pytest.mark.parametrize("content", [b"torn", None])
def test_a_projection_that_is_damaged_or_has_another_size_is_refused(student_root, tmp_path, content):
    shutil.copytree(student_root / "mlm", tmp_path / "mlm")
    if content:
        (tmp_path / "mlm" / FILE).write_bytes(content)
    else:
        Projection((LAST,), np.zeros(7, np.float32), np.eye(7, dtype=np.float32)).save(tmp_path / "mlm")
    with pytest.raises(CompactLMError, match=r"cannot be read|does not fit .* 32"):
        CompactLM(tmp_path, threads=1).embed(["good"])
