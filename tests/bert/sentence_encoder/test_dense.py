import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from compactlm.bert.sentence_encoder.dense import ACTIVATIONS, IDENTITY, TANH, Dense, read_dense
from compactlm.errors import CompactLMError
from tests.fixtures.encoders import make_dense


def write(directory, settings=None, tensors=None):
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(settings or {}))
    if tensors is not None:
        save_file({name: np.array(values, np.float32) for name, values in tensors.items()}, directory / "model.safetensors")
    return directory


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_equal_those_of_torch(activation):
    vectors = np.linspace(-30, 30, 400, dtype=np.float32).reshape(100, 4)
    dense = make_dense(4, 3, activation=activation)
    module = getattr(torch.nn, activation.rpartition(".")[2])()
    expected = module(torch.nn.functional.linear(*map(torch.from_numpy, (vectors, dense.weight, dense.bias))))
    np.testing.assert_allclose(dense.apply(vectors), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("bias", [None, np.array([1, 2, 3], np.float32)])
def test_a_written_layer_is_read_again(tmp_path, bias):
    dense = make_dense(4, 3, bias=bias)
    dense.write(tmp_path / "2_Dense")
    again = read_dense(tmp_path / "2_Dense")
    assert (again.weight == dense.weight).all()
    assert again.bias is None if bias is None else (again.bias == bias).all()
    assert again.activation == IDENTITY
    assert again.parameters == dense.parameters == 12 + (0 if bias is None else 3)


def test_a_file_without_an_activation_means_tanh(tmp_path):
    assert read_dense(write(tmp_path / "d", {}, {"linear.weight": [[1.0]]})).activation == TANH


def test_pickled_weights_are_never_read(tmp_path):
    directory = write(tmp_path / "2_Dense")
    (directory / "pytorch_model.bin").write_bytes(b"not read")
    with pytest.raises(CompactLMError, match=r"pytorch_model\.bin are pickled.*save_pretrained"):
        read_dense(directory)


@pytest.mark.parametrize(
    ("settings", "tensors", "message"),
    [
        ({"activation_function": "mine.Cube"}, {}, r"activation_function 'mine\.Cube'"),
        ({"use_residual": True}, {}, "use_residual"),
        ({"module_input_name": "token_embeddings"}, {}, "module_input_name 'token_embeddings'"),
        ({}, None, r"model\.safetensors cannot be read"),
        ({}, {"linear.bias": [1.0]}, r"no matrix linear\.weight"),
        ({}, {"linear.weight": [1.0]}, r"no matrix linear\.weight"),
        ({}, {"linear.weight": [[1.0]], "linear.bias": [1.0, 2.0]}, "a bias of its height"),
        ({}, {"linear.weight": [[float("nan")]]}, "not finite"),
    ],
)
def test_what_cannot_be_computed_is_refused(tmp_path, settings, tensors, message):
    with pytest.raises(CompactLMError, match=message):
        read_dense(write(tmp_path / "2_Dense", settings, tensors))


def test_parameters_of_a_layer_without_bias():
    assert Dense(np.zeros((5, 2), np.float32)).parameters == 10
