"""How a training step may fail, and the sentence that says how to mend it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from accelerate import Accelerator

from compactlm.errors import CompactLMError

SHORT = 64  # tokens; where a single row as short as this does not fit, the model is what is too large
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "alloc_failed")  # of many devices


def name_rows(examples: Any, positions: Sequence[int]) -> str:
    """Return the ids of the rows at these positions, or the positions where there are no ids."""
    ids = getattr(examples, "ids", None)
    return ", ".join(str(ids[position] if ids is not None else position) for position in positions)


class Window:
    """The losses and gradient norms since they were last read, which stay on the device: to read one waits for it."""

    def __init__(self, phase: str, accelerator: Accelerator, rows: Callable[[int], str], section: str = "") -> None:
        """Take the phase's name, a function that names the rows of a step's batch, and the key of the phase's optimisation."""
        self.phase, self.accelerator, self.rows = phase, accelerator, rows
        self.rate = f"{section}.learning_rate" if section else f"learning_rate of {phase}"
        self.names: list[str] = []
        self.steps: list[torch.Tensor] = []

    def add(self, losses: dict[str, torch.Tensor], weight: float, norm: torch.Tensor) -> None:
        """Add a step's losses, always of the same names, and the norm of its gradient before it was clipped."""
        self.names = self.names or list(losses)
        values = torch.stack([*(losses[name].detach() for name in self.names), norm])
        if weight != 1.0:
            values[:-1] *= weight
        self.steps.append(values)

    def read(self, last: int) -> dict[str, float]:
        """Return the mean losses, over the processes too, of the steps up to number `last`, and forget the steps.

        Raises:
            CompactLMError: a loss or a gradient was not finite, and therefore all weights that came after it.
        """
        values = torch.stack(self.steps)
        if self.accelerator.num_processes > 1:
            values = self.accelerator.gather(values[None]).mean(dim=0)
        steps, self.steps = list(values.cpu()), []
        for step, row in enumerate(steps, start=last - len(steps) + 1):
            if not torch.isfinite(row).all():
                raise self._failure(step, row.tolist())
        total = torch.zeros_like(steps[0])
        for row in steps:  # one after another, since torch.sum adds in an order of its own
            total = total + row
        return {name: value / len(steps) for name, value in zip(self.names, total.tolist()[:-1], strict=True)}

    def _failure(self, step: int, values: list[float]) -> CompactLMError:
        what = "loss" if not torch.isfinite(torch.tensor(values[:-1])).all() else "gradient"
        each = ", ".join(f"{name} {value:.4g}" for name, value in zip([*self.names, "norm of the gradient"], values, strict=True))
        return CompactLMError(
            f"the {what} of {self.phase} is not a finite number at step {step} ({each}), whose batch holds the rows "
            f"{self.rows(step)}; lower {self.rate} in params.yaml, or look at these rows"
        )


@contextlib.contextmanager
def memory_errors(
    phase: str, step: int, lengths: Sequence[int], processes: int, batch_tokens: int, trains: bool = True, section: str = ""
) -> Iterator[None]:
    """Turn a lack of memory into a sentence.

    Args:
        phase: its name.
        step: its number, from 1; 0 while the model is made ready.
        lengths: of the sequences in the batch.
        processes: between which these are divided.
        batch_tokens: of the phase.
        trains: whether batch_tokens is that of the phase's optimisation, or that of params.yaml for what is only read.
        section: the key of the phase's optimisation in params.yaml, where it has one.

    Raises:
        CompactLMError: there was not enough memory.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and not any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
            raise
        of = f"{section}.batch_tokens" if section else f"batch_tokens of {phase}'s optimisation"
        setting = of if trains else "batch_tokens"
        raise CompactLMError(_advice(phase, step, lengths, processes, batch_tokens, setting)) from error


def _advice(phase: str, step: int, lengths: Sequence[int], processes: int, batch_tokens: int, setting: str) -> str:
    shape = "halve student.hidden_size and student.intermediate_size (a phase of the teacher needs a smaller teacher)"
    if step == 0:
        return f"there is not enough memory for the model of {phase}, before its first step; {shape}"
    longest = max(lengths)
    share = len(lengths) if len(lengths) < processes else -(-len(lengths) // processes)  # as in processes.share
    rows = "1 row" if share == 1 else f"{share} rows"
    where = f"there is not enough memory for {phase} at step {step}, whose batch has {rows}, the longest of {longest} tokens"
    where += f", {share * longest} tokens with padding; "
    if share > 1:
        # A batch may be smaller than it is allowed to be; then half of what is allowed would change nothing.
        half = max(1, min(batch_tokens, len(lengths) * longest) // 2)
        return f"{where}lower {setting} from {batch_tokens} to {half} in params.yaml"
    if longest > SHORT:
        return f"{where}lower tokenize.maximum_length (for a phase of the teacher, teacher.maximum_length) to {longest // 2} in params.yaml"
    return f"{where}{shape} in params.yaml"
