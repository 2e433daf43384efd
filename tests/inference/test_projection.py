import shutil

import numpy as np
import pytest

from compactlm import CompactLM
from compactlm.errors import CompactLMError
from compactlm.inference.projection import FILE, Projection, fit_whitening


@pytest.fixture
def vectors():
    generator = np.random.default_rng(0)
    return (generator.normal(size=(500, 8)) @ generator.normal(size=(8, 8)) + 5).astype(np.float32)


def test_whitened_vectors_are_centred_and_alike_in_all_directions(vectors):
    found = fit_whitening(vectors, 0.0).apply(vectors)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-3)
    covariance = np.cov(found.T)
    np.testing.assert_allclose(covariance, np.eye(8) * covariance[0, 0], atol=0.02)


def test_a_floor_spares_small_directions_and_an_endless_one_only_centres(vectors):
    gains = [np.linalg.cond(fit_whitening(vectors, floor).weight) for floor in (0.0, 0.1, 1.0)]
    assert gains[0] > gains[1] > gains[2] > 1
    np.testing.assert_allclose(fit_whitening(vectors, np.inf).apply(vectors), vectors - vectors.mean(axis=0), atol=1e-4)


def test_a_projection_beside_the_model_is_used(student_root, tmp_path):
    shutil.copytree(student_root / "mlm", tmp_path / "mlm")
    before = CompactLM(tmp_path, threads=1).embed(["good", "bad", "old dog"])
    first = CompactLM(tmp_path, threads=1).embedding
    weight = np.eye(32, 5, dtype=np.float32)
    Projection(before[0] * 0, weight).save(tmp_path / "mlm")
    found = CompactLM(tmp_path, threads=1)
    expected = before @ weight
    np.testing.assert_allclose(
        found.embed(["good", "bad", "old dog"]), expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5
    )
    assert found.embedding.fingerprint != first.fingerprint


@pytest.mark.parametrize("content", [b"torn", None])
def test_a_damaged_projection_or_that_of_another_model(student_root, tmp_path, content):
    shutil.copytree(student_root / "mlm", tmp_path / "mlm")
    if content:
        (tmp_path / "mlm" / FILE).write_bytes(content)
    else:
        Projection(np.zeros(7, np.float32), np.eye(7, dtype=np.float32)).save(tmp_path / "mlm")
    with pytest.raises(CompactLMError, match=r"cannot be read|does not fit the model beside it, whose hidden states have 32 values"):
        CompactLM(tmp_path, threads=1).embed(["good"])
