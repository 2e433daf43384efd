"""Closed-form fits to activations. Long sums use double precision."""

from __future__ import annotations

import torch

CONSTANT = 1e-9  # a variance below this share of the mean square is rounding


def ridge(inputs: torch.Tensor, targets: torch.Tensor, penalty: float = 0.01) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weight and bias of the linear map that best predicts the targets, shaped as in torch.nn.Linear.

    Args:
        inputs: float [rows, features].
        targets: float [rows, outputs].
        penalty: the penalty on the squared weights, relative to the mean variance of the features.

    Returns:
        The weight, float [outputs, features], and the bias, float [outputs].
    """
    inputs, targets = inputs.double(), targets.double()
    mean_input, mean_target = inputs.mean(dim=0), targets.mean(dim=0)
    centred = inputs - mean_input
    moments = centred.T @ centred
    # The variance of a constant feature is only rounding; the fit must not use it.
    least = CONSTANT * inputs.square().sum(dim=0).mean() + torch.finfo(torch.float32).tiny
    moments.diagonal().add_(torch.maximum(penalty * moments.diagonal().mean(), least))
    weight = torch.linalg.solve(moments, centred.T @ (targets - mean_target)).T
    return weight.float(), (mean_target - weight @ mean_input).float()


def fit_layer_norm(norm: torch.nn.LayerNorm, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Fit the gain and bias of a layer normalisation to the targets, and return its output.

    Args:
        norm: the layer normalisation to change.
        inputs: float [rows, width].
        targets: float [rows, width].
    """
    normal = torch.nn.functional.layer_norm(inputs, inputs.shape[-1:], eps=norm.eps)
    mean, wanted = normal.mean(dim=0), targets.mean(dim=0)
    gain = ((normal - mean) * (targets - wanted)).mean(dim=0) / ((normal - mean) ** 2).mean(dim=0).clamp(min=1e-8)
    with torch.no_grad():
        norm.weight.copy_(gain)
        norm.bias.copy_(wanted - gain * mean)
    return norm(inputs)
