"""The losses of the latest training steps, checked to be finite numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from accelerate import Accelerator

from compactlm.errors import CompactLMError


def name_rows(examples: Any, positions: Sequence[int]) -> str:
    """Return the ids of the rows at these positions; without ids, the positions."""
    ids = getattr(examples, "ids", None)
    return ", ".join(str(ids[position] if ids is not None else position) for position in positions)


class RecentLosses:
    """Losses and gradient norms since the last reading. They stay on the device, because reading a value waits for the device."""

    def __init__(self, phase: str, accelerator: Accelerator, rows: Callable[[int], str], rate_key: str) -> None:
        """Create an empty record. `rows` returns the row names of a step's batch; `rate_key` is the learning rate's key in params.yaml."""
        self.phase, self.accelerator, self.rows, self.rate_key = phase, accelerator, rows, rate_key
        self.steps: list[tuple[list[str], torch.Tensor]] = []

    def add(self, losses: dict[str, torch.Tensor], weight: float, norm: torch.Tensor) -> None:
        """Add a step's losses and the norm of its gradient before clipping. The names of the losses may differ between steps."""
        values = torch.stack([*(loss.detach() for loss in losses.values()), norm])
        if weight != 1.0:
            values[:-1] *= weight
        self.steps.append((list(losses), values))

    def read(self, last: int) -> dict[str, float]:
        """Return the mean of each loss over the steps that have it and over all processes, and clear the record.

        `last` is the number of the latest step.

        Raises:
            CompactLMError: a loss or a gradient was not finite; all later weights are then wrong.
        """
        values = torch.cat([values for _, values in self.steps])
        if self.accelerator.num_processes > 1:
            values = self.accelerator.gather(values[None]).mean(dim=0)
        steps, self.steps = self.steps, []
        rows = values.cpu().split([len(names) + 1 for names, _ in steps])
        totals: dict[str, torch.Tensor] = {}
        counts: Counter[str] = Counter()
        for step, ((names, _), row) in enumerate(zip(steps, rows, strict=True), start=last - len(steps) + 1):
            if not torch.isfinite(row).all():
                raise self._failure(step, names, row.tolist())
            for name, value in zip(names, row, strict=False):  # Add one by one, because torch.sum may use another order.
                totals[name] = totals.get(name, torch.zeros_like(value)) + value
                counts[name] += 1
        return {name: float(total) / counts[name] for name, total in totals.items()}

    def _failure(self, step: int, names: list[str], values: list[float]) -> CompactLMError:
        what = "loss" if not torch.isfinite(torch.tensor(values[:-1])).all() else "gradient"
        each = ", ".join(f"{name} {value:.4g}" for name, value in zip([*names, "gradient norm"], values, strict=True))
        return CompactLMError(
            f"the {what} of {self.phase} is not a finite number at step {step} ({each}); lower {self.rate_key}, "
            f"or check the rows of its batch: {self.rows(step)}"
        )
