"""Checkpoints in safetensors and JSON, so that a killed run goes on where it was and a file can never execute code.

A checkpoint belongs to a fingerprint of parameters and data; one with another fingerprint is not used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from compactlm.artifacts import read_json, replacing, write_json

History = list[tuple[int, dict[str, float]]]  # the mean losses at some steps


CODE = sorted(path for package in ("distillation", "student") for path in (Path(__file__).parents[1] / package).glob("*.py"))


def fingerprint(parameters: Any, files: Iterable[Path]) -> str:
    """Return the sha256 of parameters (anything that JSON can hold), of the files, directories searched for theirs, and of the code."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    for path in CODE:
        digest.update(path.name.encode() + path.read_bytes())
    for root in files:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file():
                with path.open("rb") as file:
                    name = str(path.relative_to(root)) if root.is_dir() else path.name
                    digest.update(name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


class Checkpoint:
    """The state of one training phase in a directory: trainable weights, AdamW's moments, the step, the random state."""

    def __init__(self, directory: Path, key: str) -> None:
        """Take the checkpoint of `directory` that belongs to the fingerprint `key`."""
        self.directory = directory
        self.key = key

    def save(self, module: torch.nn.Module, optimizer: torch.optim.Optimizer, step: int, history: History) -> None:
        """Write the state after `step` steps; a crash while writing leaves the checkpoint before it."""
        tensors = {f"weight.{name}": tensor.detach().contiguous() for name, tensor in _trainable(module).items()}
        for index, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"optimizer.{index}.{name}"] = torch.as_tensor(value).contiguous()
        tensors["random_state"] = torch.get_rng_state()
        with replacing(self.directory) as unfinished:
            unfinished.mkdir()
            safetensors.torch.save_file(tensors, unfinished / "state.safetensors")
            write_json(unfinished / "state.json", {"fingerprint": self.key, "step": step, "history": history})

    def load(self, module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, History]:
        """Load the state and return its step and history; 0, with nothing changed, where there is none of this fingerprint."""
        if not (self.directory / "state.json").is_file():
            return 0, []
        state = read_json(self.directory / "state.json")
        if state["fingerprint"] != self.key:
            return 0, []
        tensors = safetensors.torch.load_file(self.directory / "state.safetensors")
        with torch.no_grad():
            for name, parameter in _trainable(module).items():
                parameter.copy_(tensors[f"weight.{name}"])
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for key, tensor in tensors.items():
            if key.startswith("optimizer."):
                _, index, name = key.split(".", 2)
                moments.setdefault(int(index), {})[name] = tensor
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["random_state"])
        return int(state["step"]), [(int(step), losses) for step, losses in state["history"]]


def _trainable(module: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
