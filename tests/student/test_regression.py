import pytest
import torch

from compactlm.student.regression import fit_layer_norm, ridge
from tests.fixtures.builders import noise


def test_ridge_is_the_minimum_of_error_and_penalty():
    inputs, targets, penalty = noise(50, 3).double() + 2, noise(50, 2, seed=1).double(), 0.3
    variance = inputs.var(dim=0, correction=0).mean()

    def cost(weight, bias):
        error = (inputs @ weight.T + bias - targets).square().sum()
        return error + penalty * variance * len(inputs) * weight.square().sum()

    weight, bias = (part.double().requires_grad_() for part in ridge(inputs.float(), targets.float(), penalty))
    gradients = torch.autograd.grad(cost(weight, bias), (weight, bias))
    assert max(gradient.abs().max() for gradient in gradients) < 1e-3
    assert cost(weight, bias) < 0.99 * cost(torch.zeros_like(weight), targets.mean(dim=0))


def test_the_penalty_does_not_depend_on_units():
    inputs, targets = noise(50, 3), noise(50, 2, seed=1)
    weight, bias = ridge(inputs, targets)
    again = ridge(inputs * 1000, targets)
    torch.testing.assert_close(again[0] * 1000, weight, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(again[1], bias, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("value", [0.0, 0.1, -300.0])
def test_constant_features_predict_the_mean(value):
    targets = noise(50, 2)
    weight, bias = ridge(torch.full((50, 3), value), targets)
    assert weight.abs().max() < 1e-3
    torch.testing.assert_close(bias, targets.mean(dim=0), atol=1e-3, rtol=0)


def test_a_constant_feature_has_no_effect_on_the_others():
    inputs, targets = noise(50, 3), noise(50, 2, seed=1)
    expected = ridge(inputs, targets, 1e-6)[0]
    found = ridge(torch.cat([inputs, torch.full((50, 1), 7.0)], dim=1), targets, 1e-6)[0]
    torch.testing.assert_close(found[:, :3], expected, atol=1e-4, rtol=1e-4)
    assert found[:, 3].abs().max() < 1e-3


def test_a_fitted_layer_normalisation_has_the_least_error():
    inputs, targets = noise(60, 8), noise(60, 8, seed=1)
    norm = torch.nn.LayerNorm(8)
    assert torch.equal(fit_layer_norm(norm, inputs, targets), norm(inputs))
    best = (norm(inputs) - targets).square().sum()
    gradients = torch.autograd.grad(best, (norm.weight, norm.bias))
    assert max(gradient.abs().max() for gradient in gradients) < 1e-3
    assert best < (torch.nn.LayerNorm(8)(inputs) - targets).square().sum()


def test_a_layer_normalisation_of_equal_rows_gives_their_target():
    norm = torch.nn.LayerNorm(8)
    inputs = noise(1, 8).expand(20, 8)
    targets = noise(1, 8, seed=1).expand(20, 8)
    torch.testing.assert_close(fit_layer_norm(norm, inputs, targets), targets, atol=1e-4, rtol=1e-4)
    assert norm.weight.isfinite().all()
