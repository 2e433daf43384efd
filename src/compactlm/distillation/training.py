"""The training loop, on Accelerate: the same code on a CPU and on a GPU, in fp32 and bf16."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from accelerate import Accelerator
from tqdm import tqdm

from compactlm.distillation.batches import make_batches
from compactlm.distillation.checkpoints import Checkpoint, History
from compactlm.errors import CompactLMError
from compactlm.params import Optimisation

Batch = dict[str, torch.Tensor]
LOG_EVERY = 20  # steps; losses stay tensors in between, since reading one waits for the device


class Examples(Protocol):
    """What a phase trains on: the length of each sequence, and the tensors of a batch of them."""

    @property
    def lengths(self) -> Sequence[int]:
        """The number of pieces of each sequence."""
        ...

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:
        """Return the tensors for these positions; the same for the same positions and epoch."""
        ...


@dataclasses.dataclass(frozen=True)
class Settings:
    """How every phase of a run is trained, whatever it learns."""

    seed: int
    precision: str = "fp32"
    checkpoint_minutes: float = 5.0


@dataclasses.dataclass(frozen=True)
class Summary:
    """What a phase came to. `seconds` and `tokens` count the work of this process since it began or was resumed."""

    steps: int
    seconds: float
    tokens: int
    history: History

    def speed(self) -> dict[str, float]:
        """Return what depends on the machine: seconds, pieces and pieces a second."""
        return {"seconds": self.seconds, "pieces": self.tokens, "pieces_a_second": self.tokens / max(self.seconds, 1e-9)}


def set_dropout(model: torch.nn.Module, probability: float) -> None:
    """Set every dropout of a BERT, attention included, to `probability`."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = probability


class _Schedule:
    """Warm-up to the learning rate, then linear decay to 0."""

    def __init__(self, optimisation: Optimisation, steps: int) -> None:
        self.peak, self.steps = optimisation.learning_rate, steps
        self.warmup = max(1, round(optimisation.warmup * steps))

    def set(self, optimizer: torch.optim.Optimizer, step: int) -> None:
        rising = (step + 1) / self.warmup
        falling = (self.steps - step) / max(1, self.steps - self.warmup)
        for group in optimizer.param_groups:
            group["lr"] = self.peak * min(1.0, rising, falling)


def _optimizer(module: torch.nn.Module, optimisation: Optimisation) -> torch.optim.Optimizer:
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": optimisation.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
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
) -> Summary:
    """Train what requires gradients in `objective`.

    Args:
        name: of the phase, shown beside the progress bar and part of the seed of its order.
        objective: its forward takes a batch's tensors by name and returns losses by name, of which `loss` is minimised.
        examples: what to train on.
        optimisation: epochs, learning rate and the like.
        settings: what all phases share.
        checkpoint: where the state is kept; the phase goes on from it, and when finished leaves its last state there.
        log: called with the step and the mean losses every LOG_EVERY steps.

    Raises:
        CompactLMError: the loss is not a finite number, or there is more than one process.
    """
    accelerator = Accelerator(mixed_precision="bf16" if settings.precision == "bf16" else "no")
    if accelerator.num_processes > 1:
        raise CompactLMError("training uses one process and one device; run `dvc repro` without `accelerate launch`")
    torch.manual_seed(settings.seed)
    plan = [
        (epoch, positions)
        for epoch in range(optimisation.epochs)
        for positions in make_batches(examples.lengths, optimisation.batch_tokens, f"{settings.seed}/{name}/{epoch}")
    ]
    schedule = _Schedule(optimisation, len(plan))
    module, optimizer = accelerator.prepare(objective, _optimizer(objective, optimisation))
    first, history = checkpoint.load(objective, optimizer) if checkpoint else (0, [])
    if log:
        for step, means in history:
            log(step, means)
    module.train()
    meter, tokens, start, saved = _Meter(name), 0, time.monotonic(), time.monotonic()
    with tqdm(total=len(plan), initial=first, desc=name, unit="step", mininterval=0.5) as bar:
        for step in range(first, len(plan)):
            epoch, positions = plan[step]
            batch = {key: value.to(accelerator.device) for key, value in examples.batch(positions, epoch).items()}
            schedule.set(optimizer, step)
            losses = module(**batch)
            accelerator.backward(losses["loss"])
            accelerator.clip_grad_norm_(module.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            meter.add(losses)
            tokens += sum(examples.lengths[position] for position in positions)
            bar.update()
            last = step + 1 == len(plan)
            if (step + 1) % LOG_EVERY and not last:
                continue
            means = meter.read()
            history.append((step + 1, means))
            bar.set_postfix(loss=f"{means['loss']:.3f}", refresh=False)
            if log:
                log(step + 1, means)
            due = last or time.monotonic() - saved > 60 * settings.checkpoint_minutes
            if checkpoint and due:
                checkpoint.save(objective, optimizer, step + 1, history)
                saved = time.monotonic()
    return Summary(len(plan), time.monotonic() - start, tokens, history)


class _Meter:
    """Sums losses as tensors and reads them seldom."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sums: dict[str, torch.Tensor] = {}
        self.count = 0

    def add(self, losses: Batch) -> None:
        for key, value in losses.items():
            self.sums[key] = self.sums.get(key, torch.zeros_like(value.detach())) + value.detach()
        self.count += 1

    def read(self) -> dict[str, float]:
        means = {key: float(value) / self.count for key, value in self.sums.items()}
        if not torch.isfinite(torch.tensor(list(means.values()))).all():
            raise CompactLMError(f"the loss of {self.name} is no longer a finite number; lower its learning_rate in params.yaml")
        self.sums, self.count = {}, 0
        return means
