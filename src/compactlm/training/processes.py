"""Training in several processes, one a device, that `accelerate launch` started; with one process all of this does nothing.

Every process has the same plan of batches and learns from its share of the rows of each. DistributedDataParallel averages the gradients,
so that the weights stay the same everywhere; what is written to the disk the main process writes alone.
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
    """Return what Accelerate knows of the processes; the first call lets them find one another."""
    # PartialState looks for GPUs and, where there is none, takes each of several processes for the only one.
    several_on_cpu = int(os.environ.get("WORLD_SIZE", "1")) > 1 and not torch.cuda.is_available()
    return PartialState(cpu=several_on_cpu or parse_flag_from_env("ACCELERATE_USE_CPU"))


def is_main_process() -> bool:
    """Return whether this process is the one that writes, logs and shows progress; true where there is only one."""
    return bool(_state().is_main_process)


def on_main(function: Callable[Parameters, object], *args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
    """Call a function in the main process alone; the others wait until it has returned."""
    state = _state()
    if state.is_main_process:
        function(*args, **kwargs)
    state.wait_for_everyone()


def leave() -> None:
    """Take leave of the other processes at the end of a run, which NCCL wants; nothing may wait for them afterwards."""
    _state().destroy_process_group()


def connect(precision: str) -> Accelerator:
    """Return the accelerator for a precision of Settings."""
    _state()
    # An objective may leave out a part whose loss weighs 0, and then the parameters of that part get no gradient.
    # Where every parameter gets one, torch says once that this was needless.
    ddp = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(mixed_precision="bf16" if precision == "bf16" else "no", kwargs_handlers=[ddp])


class _OnlyLossLearns(torch.nn.Module):
    """An objective whose other losses have no graph; DDP would wait for the gradients of all that is reachable from them."""

    def __init__(self, objective: torch.nn.Module) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, **batch: torch.Tensor) -> Batch:
        losses: Batch = self.objective(**batch)
        return {name: value if name == "loss" else value.detach() for name, value in losses.items()}


def wrap(
    accelerator: Accelerator, objective: torch.nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """Move both to the device; with several processes, let their gradients be averaged in every backward."""
    module = objective if accelerator.num_processes == 1 else _OnlyLossLearns(objective)
    prepared: tuple[torch.nn.Module, torch.optim.Optimizer] = accelerator.prepare(module, optimizer)
    return prepared


def share(positions: Sequence[int], process: int, processes: int) -> tuple[Sequence[int], float]:
    """Return one process's rows of a batch, and the weight of its losses.

    DDP takes the plain mean over processes, though one of them may have a row more; weighted by its rows times the
    processes over all rows, the mean over processes is the mean over rows, as in one process. It is exact for a mean over
    rows, and near for a mean over tokens, masked positions or labelled rows, whose numbers in a row differ; a loss that
    compares the rows of a batch sees those of its process alone.
    With fewer rows than processes each takes the whole batch: all must take part in a step, and the mean of equal
    gradients is the gradient.
    """
    if processes == 1 or len(positions) < processes:
        return positions, 1.0
    own = positions[process::processes]
    return own, processes * len(own) / len(positions)


def agree(accelerator: Accelerator, decision: bool) -> bool:
    """Return what the main process decided; clocks differ, and all must take the same way."""
    if accelerator.num_processes == 1:
        return decision
    return bool(accelerator.gather(torch.tensor([decision], dtype=torch.uint8, device=accelerator.device))[0])


def random_states(accelerator: Accelerator) -> torch.Tensor:
    """Return the state of torch's generator in each process, uint8 [processes, bytes]."""
    own = torch.get_rng_state()[None]
    return own if accelerator.num_processes == 1 else accelerator.gather(own.to(accelerator.device)).cpu()
