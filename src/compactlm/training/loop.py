"""The training loop, on Accelerate: the same code for CPU and GPU, for one or several processes, and for fp32 and bf16."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from accelerate import Accelerator
from tqdm import tqdm

from compactlm.bert.batches import make_batches
from compactlm.bert.memory import memory_errors
from compactlm.params import Optimisation
from compactlm.training import processes
from compactlm.training.checkpoints import Checkpoint, History
from compactlm.training.loader import Loader
from compactlm.training.processes import Batch
from compactlm.training.recent_losses import RecentLosses, name_rows

__all__ = ["Batch", "Examples", "Settings", "Summary", "set_dropout", "train"]


class Examples(Protocol):
    """The training rows of a phase.

    An optional attribute `ids: Sequence[str]` names the rows in error messages. An optional method `batches(batch_tokens, key)` returns the
    batches of an epoch; without it, bert.batches.make_batches is used.
    """

    @property
    def lengths(self) -> Sequence[int]:
        """The number of tokens of each row."""
        ...

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:
        """Return the tensors of these rows. The result depends only on the positions and the epoch."""
        ...


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings that all phases of a run share.

    Attributes:
        seed: the seed of the order of the rows and of dropout.
        precision: "fp32" or "bf16".
        checkpoint_minutes: the time between two checkpoints.
        log_every: the number of steps between two readings of the losses. Each reading waits for the device.
    """

    seed: int
    precision: str = "fp32"
    checkpoint_minutes: float = 1.0
    log_every: int = 20


@dataclasses.dataclass(frozen=True)
class Summary:
    """The outcome of a phase.

    Attributes:
        steps: the number of steps of the whole phase.
        seconds: the duration of this run in seconds, from its start or resumption.
        tokens: the number of tokens that all processes read in this time.
        history: mean losses at some steps.
        resumed_from_step: 0 for a run without interruption.
    """

    steps: int
    seconds: float
    tokens: int
    history: History
    resumed_from_step: int = 0

    def speed(self) -> dict[str, float]:
        """Return the machine-dependent figures: seconds, tokens, tokens_a_second and resumed_from_step."""
        measured = {"seconds": self.seconds, "tokens": self.tokens, "tokens_a_second": self.tokens / max(self.seconds, 1e-9)}
        return {**measured, "resumed_from_step": self.resumed_from_step}


def set_dropout(model: torch.nn.Module, probability: float) -> None:
    """Set every dropout of a BERT, attention included, to `probability`."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = probability


def _learning_rate(optimisation: Optimisation, step: int, steps: int) -> float:
    """Return the rate of a step from 0: linear warm-up to the learning rate, then linear decay to 0."""
    warmup = max(1, round(optimisation.warmup * steps))
    rising = (step + 1) / warmup
    falling = (steps - step) / max(1, steps - warmup)
    return optimisation.learning_rate * min(1.0, rising, falling)


def _optimizer(module: torch.nn.Module, optimisation: Optimisation) -> torch.optim.Optimizer:
    factors: dict[torch.nn.Parameter, float] = getattr(module, "learning_rates", {})
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    ordinary = [parameter for parameter in trainable if parameter not in factors]
    groups = [
        {"params": [p for p in ordinary if p.ndim > 1], "weight_decay": optimisation.weight_decay},
        {"params": [p for p in ordinary if p.ndim <= 1], "weight_decay": 0.0},
        *(
            {"params": [p], "weight_decay": optimisation.weight_decay if p.ndim > 1 else 0.0, "factor": factors[p]}
            for p in trainable
            if p in factors
        ),
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=optimisation.learning_rate, fused=True)


def train(
    name: str,
    objective: torch.nn.Module,
    examples: Examples,
    optimisation: Optimisation,
    settings: Settings,
    checkpoint: Checkpoint | None = None,
    log: Callable[[int, dict[str, float]], None] | None = None,
    section: str = "",
    stops: Callable[[int], bool] | None = None,
) -> Summary:
    """Train the parameters of `objective` that require gradients.

    Args:
        name: the name of the phase; it is shown next to the progress bar and is part of the seed of the order.
        objective: its forward takes a batch's tensors by name and returns losses by name. It always returns `loss`, which is minimised. An
            optional attribute `learning_rates` maps parameters to factors of their learning rate.
        examples: the training rows.
        optimisation: epochs, learning rate and the like.
        settings: shared by all phases.
        checkpoint: where the state is saved. Training resumes from it and leaves the final state there.
        log: called in the main process with the step and the mean losses, every `settings.log_every` steps.
        section: the key of `optimisation` in params.yaml, for error messages.
        stops: called after each epoch with its number, from 1; training ends if it returns True. With it there is no progress bar.

    Raises:
        CompactLMError: a loss or a gradient is not a finite number, or there is not enough memory.
    """
    accelerator = processes.connect(settings.precision)
    torch.manual_seed(settings.seed + accelerator.process_index)  # each process has its own dropout
    plan = [
        (epoch, positions)
        for epoch in range(optimisation.epochs)
        for positions in _batches(examples, optimisation.batch_tokens, f"{settings.seed}/{name}/{epoch}")
    ]
    where = f"{section}.{{}} in params.yaml" if section else f"the {{}} of {name}"
    batch_key, rate_key = where.format("batch_tokens"), where.format("learning_rate")
    with memory_errors(name, 0, [], optimisation.batch_tokens):
        module, optimizer = processes.wrap(accelerator, objective, _optimizer(objective, optimisation))
        first, history = checkpoint.load(objective, optimizer, accelerator.process_index) if checkpoint else (0, [])
    if not accelerator.is_main_process:
        log = None
    if log:
        for step, means in history:
            log(step, means)
    module.train()
    recent = RecentLosses(name, accelerator, lambda step: name_rows(examples, plan[step - 1][1]), rate_key)
    shares = [processes.share(positions, accelerator.process_index, accelerator.num_processes) for _, positions in plan]

    def load(step: int) -> Batch:
        batch = examples.batch(shares[step][0], plan[step][0])
        return {name: tensor.to(accelerator.device) for name, tensor in batch.items()}

    tokens, start, saved = 0, time.monotonic(), time.monotonic()
    hidden = stops is not None or not accelerator.is_main_process
    bar = tqdm(total=len(plan), initial=first, desc=name, unit="step", mininterval=0.5, disable=hidden)
    with bar, Loader(load, range(first, len(plan)), ahead=accelerator.device.type != "cpu") as loader:
        for step in range(first, len(plan)):
            lengths, weight = [examples.lengths[position] for position in plan[step][1]], shares[step][1]
            for group in optimizer.param_groups:
                group["lr"] = _learning_rate(optimisation, step, len(plan)) * group.get("factor", 1.0)
            with memory_errors(name, step + 1, lengths, optimisation.batch_tokens, batch_key, accelerator.num_processes):
                losses, norm = _learn(accelerator, module, optimizer, loader.take(step), weight)
                recent.add(losses, weight, norm)
            tokens += sum(lengths)
            bar.update()
            last = step + 1 == len(plan)
            if stops and (last or plan[step + 1][0] > plan[step][0]):
                last = stops(plan[step][0] + 1) or last
                module.train()
            if (step + 1) % settings.log_every and not last:
                continue
            means = recent.read(step + 1)
            history.append((step + 1, means))
            bar.set_postfix(loss=f"{means['loss']:.3f}", refresh=False)
            if log:
                log(step + 1, means)
            due = last or time.monotonic() - saved > 60 * settings.checkpoint_minutes
            if checkpoint and processes.agree(accelerator, due):
                states = processes.random_states(accelerator)
                processes.on_main(checkpoint.save, objective, optimizer, step + 1, history, states)
                saved = time.monotonic()
            if last:
                break
    return Summary(len(plan), time.monotonic() - start, tokens, history, first)


def _batches(examples: Examples, batch_tokens: int, key: str) -> list[list[int]]:
    own: Callable[[int, str], list[list[int]]] | None = getattr(examples, "batches", None)
    return own(batch_tokens, key) if own else make_batches(examples.lengths, batch_tokens, key)


def _learn(
    accelerator: Accelerator, module: torch.nn.Module, optimizer: torch.optim.Optimizer, batch: Batch, weight: float
) -> tuple[Batch, torch.Tensor]:
    """Take one step; return this process's losses and the norm of the gradient over all processes."""
    losses: Batch = module(**batch)
    accelerator.backward(losses["loss"] if weight == 1.0 else losses["loss"] * weight)
    norm: torch.Tensor = accelerator.clip_grad_norm_(module.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()  # sets the gradients to None, which frees their memory
    return losses, norm
