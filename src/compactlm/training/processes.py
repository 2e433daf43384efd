"""Training in several processes, one for each device, started by `accelerate launch`. With one process nothing here has an effect.

All processes have the same batches, and each learns from its share of a batch's rows. DistributedDataParallel (DDP) averages the gradients,
so the weights stay equal. Only the main process writes to the disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, PartialState
from accelerate.utils import parse_flag_from_env

Batch = dict[str, torch.Tensor]
Parameters = ParamSpec("Parameters")


def _state() -> Any:
    """Return Accelerate's state of the processes; the first call connects them."""
    # Without a GPU, PartialState would treat each of several processes as the only one.
    several_on_cpu = int(os.environ.get("WORLD_SIZE", "1")) > 1 and not torch.cuda.is_available()
    return PartialState(cpu=several_on_cpu or parse_flag_from_env("ACCELERATE_USE_CPU"))


def is_main_process() -> bool:
    """Return whether this process writes, logs and shows progress."""
    return bool(_state().is_main_process)


def on_main(function: Callable[Parameters, object], *args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
    """Call a function in the main process only; the others wait until it returns."""
    state = _state()
    if state.is_main_process:
        function(*args, **kwargs)
    state.wait_for_everyone()


def leave() -> None:
    """Disconnect from the other processes at the end of a run, as NCCL requires. Nothing may wait for them afterwards."""
    _state().destroy_process_group()


def connect(precision: str) -> Accelerator:
    """Return the accelerator for a precision of Settings."""
    _state()
    # Parameters of a loss whose weight is 0 get no gradient. If every parameter gets one, torch warns once that this
    # option was not needed.
    ddp = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(mixed_precision="bf16" if precision == "bf16" else "no", kwargs_handlers=[ddp])


class _OnlyLossLearns(torch.nn.Module):
    """An objective whose other losses are detached; DDP would otherwise wait for their gradients."""

    def __init__(self, objective: torch.nn.Module) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, **batch: torch.Tensor) -> Batch:
        losses: Batch = self.objective(**batch)
        return {name: value if name == "loss" else value.detach() for name, value in losses.items()}


def wrap(
    accelerator: Accelerator, objective: torch.nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """Move both to the device. With several processes, every backward pass averages the gradients."""
    module = objective if accelerator.num_processes == 1 else _OnlyLossLearns(objective)
    prepared: tuple[torch.nn.Module, torch.optim.Optimizer] = accelerator.prepare(module, optimizer)
    return prepared


def share(positions: Sequence[int], process: int, processes: int) -> tuple[Sequence[int], float]:
    """Return one process's rows of a batch, and the weight of its losses.

    DDP takes the plain mean over processes, but one process may have a row more than another. The weight makes the result the mean over
    rows, as with one process. This is exact for a mean over rows, and approximate for a mean over tokens, masked positions or labelled
    rows. With fewer rows than processes, each process takes the whole batch, because all must take part in a step.
    """
    if processes == 1 or len(positions) < processes:
        return positions, 1.0
    own = positions[process::processes]
    return own, processes * len(own) / len(positions)


def agree(accelerator: Accelerator, decision: bool) -> bool:
    """Return the main process's decision. The clocks of processes differ, but all must decide the same."""
    if accelerator.num_processes == 1:
        return decision
    return bool(accelerator.gather(torch.tensor([decision], dtype=torch.uint8, device=accelerator.device))[0])


def random_states(accelerator: Accelerator) -> torch.Tensor:
    """Return the state of torch's random generator in each process, uint8 [processes, bytes]."""
    own = torch.get_rng_state()[None]
    return own if accelerator.num_processes == 1 else accelerator.gather(own.to(accelerator.device)).cpu()
