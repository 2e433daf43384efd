"""Dense modules: a linear layer and an activation, applied to pooled vectors. No torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from compactlm.bert.arrays import Array
from compactlm.bert.sentence_encoder.json_files import read_settings, write_settings
from compactlm.errors import CompactLMError

WEIGHTS, PICKLE = "model.safetensors", "pytorch_model.bin"
WEIGHT, BIAS = "linear.weight", "linear.bias"
IDENTITY = "torch.nn.modules.linear.Identity"
TANH = "torch.nn.modules.activation.Tanh"


def _gelu(values: Array) -> Array:
    return values * (1 + np.vectorize(math.erf, otypes=[np.float32])(values / math.sqrt(2))) / 2


def _sigmoid(values: Array) -> Array:
    return np.exp(-np.logaddexp(0, -values))


# The names that sentence-transformers writes: the classes of torch.
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    IDENTITY: lambda values: values,
    TANH: np.tanh,
    "torch.nn.modules.activation.ReLU": lambda values: np.maximum(values, 0),
    "torch.nn.modules.activation.GELU": _gelu,
    "torch.nn.modules.activation.Sigmoid": _sigmoid,
    "torch.nn.modules.activation.SiLU": lambda values: values * _sigmoid(values),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Dense:
    """A linear layer and an activation.

    Attributes:
        weight: float32 [out, in].
        bias: float32 [out], or None.
        activation: a name from ACTIVATIONS.
    """

    weight: Array
    bias: Array | None = None
    activation: str = IDENTITY

    def apply(self, vectors: Array) -> Array:
        """Return the outputs, float32 [..., out], for inputs float32 [..., in]."""
        linear = vectors @ self.weight.T
        return ACTIVATIONS[self.activation](linear if self.bias is None else linear + self.bias).astype(np.float32)

    @property
    def parameters(self) -> int:
        """The number of parameters."""
        return int(self.weight.size + (0 if self.bias is None else self.bias.size))

    def write(self, directory: Path) -> None:
        """Write config.json and model.safetensors to a directory; make the directory."""
        directory.mkdir(parents=True)
        width_out, width_in = self.weight.shape
        settings = {
            "in_features": width_in,
            "out_features": width_out,
            "bias": self.bias is not None,
            "activation_function": self.activation,
        }
        write_settings(directory / "config.json", settings)
        tensors = {WEIGHT: self.weight, **({} if self.bias is None else {BIAS: self.bias})}
        save_file({name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}, directory / WEIGHTS)


def read_dense(directory: Path) -> Dense:
    """Read a Dense module.

    Raises:
        CompactLMError: the weights are missing, damaged or pickled, or the module is of a kind that is not supported.
    """
    settings = read_settings(directory / "config.json")
    # sentence-transformers uses Tanh if the file names no activation.
    activation = settings.get("activation_function", TANH)
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise CompactLMError(
            f"{directory}/config.json has activation_function {activation!r}; use a sentence encoder with one of {', '.join(ACTIVATIONS)}"
        )
    if settings.get("use_residual"):
        raise CompactLMError(f"{directory}/config.json has use_residual, which is not supported; use a sentence encoder without it")
    for key in ("module_input_name", "module_output_name"):
        if settings.get(key) not in (None, "sentence_embedding"):
            raise CompactLMError(
                f"{directory}/config.json has {key} {settings[key]!r}; use a sentence encoder whose Dense modules follow the pooling"
            )
    return _read_weights(directory, str(activation))


def _read_weights(directory: Path, activation: str) -> Dense:
    path = directory / WEIGHTS
    if not path.is_file() and (directory / PICKLE).is_file():
        raise CompactLMError(
            f"the weights in {directory / PICKLE} are pickled, which could run code; load the model with sentence-transformers, save it "
            f"again with save_pretrained, and use the new directory"
        )
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:  # the last three for types that NumPy lacks
        raise CompactLMError(f"{path} cannot be read ({error}); fetch or save the sentence encoder again") from None
    weight, bias = tensors.get(WEIGHT), tensors.get(BIAS)
    if weight is None or weight.ndim != 2 or (bias is not None and bias.shape != weight.shape[:1]):
        raise CompactLMError(f"{path} has no matrix {WEIGHT}, with a bias of its height; fetch or save the sentence encoder again")
    dense = Dense(weight.astype(np.float32), None if bias is None else bias.astype(np.float32), activation)
    if not all(np.isfinite(values).all() for values in (dense.weight, dense.bias) if values is not None):
        raise CompactLMError(f"{path} has weights that are not finite numbers; fetch or save the sentence encoder again")
    return dense
