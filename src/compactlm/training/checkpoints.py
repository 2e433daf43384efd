"""Checkpoints in safetensors and JSON, from which a killed run resumes.

A checkpoint belongs to a fingerprint of parameters, data and code. It is ignored if the fingerprint differs. The last two checkpoints are
kept, in case the newest one is damaged.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
import transformers
from tqdm import tqdm

from compactlm.artifacts import file_sha256, read_json, replacing, write_json
from compactlm.errors import readable

History = list[tuple[int, dict[str, float]]]  # the mean losses at some steps

PACKAGE = Path(__file__).parents[1]
KEPT = 2
WEIGHTS, STATE = "state.safetensors", "state.json"


def fingerprint(parameters: Any, files: Iterable[Path]) -> str:
    """Return one sha256 of the parameters (as JSON), the files (all files of a directory) and the package's code."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    digest.update(f"torch {torch.__version__}, transformers {transformers.__version__}".encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + bytes.fromhex(file_sha256(path)))
    for root in files:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file():
                name = str(path.relative_to(root)) if root.is_dir() else path.name
                digest.update(name.encode() + bytes.fromhex(file_sha256(path)))
    return digest.hexdigest()


class Checkpoint:
    """The state of a training phase in a directory: trainable weights, moments of AdamW, step and random states."""

    def __init__(self, directory: Path, key: str) -> None:
        """Use the checkpoints in `directory` that have the fingerprint `key`."""
        self.directory = directory
        self.key = key

    def save(
        self,
        module: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        step: int,
        history: History,
        random_states: torch.Tensor | None = None,
    ) -> None:
        """Save all state, and keep the previous checkpoint. A crash at any moment leaves a complete checkpoint.

        `random_states` of torch's generator are uint8 [processes, bytes]; by default this process's state is saved.
        """
        tensors = {f"weight.{name}": tensor.detach().contiguous() for name, tensor in _trainable(module).items()}
        for index, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"optimizer.{index}.{name}"] = torch.as_tensor(value).contiguous()
        tensors["random_states"] = torch.get_rng_state()[None] if random_states is None else random_states
        target = self.directory / f"step-{step:08d}"
        with replacing(target) as unfinished:
            unfinished.mkdir()
            safetensors.torch.save_file(tensors, unfinished / WEIGHTS)
            checksum = _checksum(unfinished / WEIGHTS, step, history)
            write_json(unfinished / STATE, {"fingerprint": self.key, "step": step, "history": history, "sha256": checksum})
            # Write the files before the name, because after a power failure the name could otherwise belong to an empty directory.
            for path in (unfinished / WEIGHTS, unfinished / STATE, unfinished):
                _to_disk(path)
        _to_disk(self.directory)
        self._delete_older(target)

    def load(self, module: torch.nn.Module, optimizer: torch.optim.Optimizer, process: int = 0) -> tuple[int, History]:
        """Load the latest complete checkpoint and return its step and history. Without a checkpoint, change nothing and return step 0.

        The random state of this process is restored if the checkpoint has one for the process's number.
        """
        for directory in self._generations():
            try:
                state = read_json(directory / STATE)
                if state["fingerprint"] != self.key:
                    continue
                if _checksum(directory / WEIGHTS, state["step"], state["history"]) != state["sha256"]:
                    raise ValueError("the checksum differs")
                tensors = safetensors.torch.load_file(directory / WEIGHTS)
                step, history = int(state["step"]), [(int(step), losses) for step, losses in state["history"]]
            except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
                if process == 0:
                    tqdm.write(readable(f"warning: ignoring the damaged checkpoint {directory} ({error})"), file=sys.stderr)
                continue
            _restore(tensors, module, optimizer, process)
            return step, history
        return 0, []

    def _generations(self) -> list[Path]:
        """Return the directories of checkpoints, the latest first."""
        return sorted(self.directory.glob("step-*"), reverse=True)

    def _delete_older(self, newest: Path) -> None:
        """Keep the newest checkpoint and the one before it. Checkpoints of later steps or other fingerprints belong to older runs."""
        before = [path for path in self._generations() if path.name < newest.name and self._owns(path)]
        kept = [newest, *before][:KEPT]
        for path in self.directory.iterdir():  # this includes the unfinished ones of a killed run
            if path not in kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _owns(self, directory: Path) -> bool:
        try:
            return bool(read_json(directory / STATE)["fingerprint"] == self.key)
        except (OSError, ValueError, KeyError, TypeError):
            return False


def _restore(tensors: dict[str, torch.Tensor], module: torch.nn.Module, optimizer: torch.optim.Optimizer, process: int) -> None:
    with torch.no_grad():
        for name, parameter in _trainable(module).items():
            parameter.copy_(tensors[f"weight.{name}"])
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            moments.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    if process < len(tensors["random_states"]):
        torch.set_rng_state(tensors["random_states"][process].clone())  # torch crashes on bytes that are not aligned


def _trainable(module: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}


def _checksum(weights: Path, step: int, history: History) -> str:
    """Return a hash of everything that a checkpoint restores."""
    return hashlib.sha256(json.dumps([file_sha256(weights), step, history], sort_keys=True).encode()).hexdigest()


def _to_disk(path: Path) -> None:
    """Flush a file's content, or a directory's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
