"""Turn out-of-memory errors of a device into one sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch

from compactlm.errors import CompactLMError

SHORT = 64  # if a single row of this many tokens does not fit, the model is too large
OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "alloc_failed",
)  # parts of the messages of several devices


@contextlib.contextmanager
def memory_errors(
    phase: str, step: int, lengths: Sequence[int], batch_tokens: int, key: str = "batch_tokens in params.yaml", processes: int = 1
) -> Iterator[None]:
    """Turn an out-of-memory error into a sentence that says which setting to lower.

    Steps count from 1; step 0 is the setup of the model. `lengths` has the number of tokens of each sequence of the batch, and `key` says
    where the user sets `batch_tokens`.

    Raises:
        CompactLMError: there was not enough memory.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and not any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
            raise
        raise CompactLMError(_advice(phase, step, lengths, batch_tokens, key, processes)) from error


def _advice(phase: str, step: int, lengths: Sequence[int], batch_tokens: int, key: str, processes: int) -> str:
    smaller = "halve student.hidden_size and student.intermediate_size (a phase of the teacher needs a smaller teacher)"
    if step == 0:
        return f"there is not enough memory for the model of {phase}, before its first step; {smaller}"
    longest = max(lengths)
    share = len(lengths) if len(lengths) < processes else -(-len(lengths) // processes)  # the same as in processes.share
    rows = "1 row" if share == 1 else f"{share} rows"
    where = (
        f"there is not enough memory for {phase} at step {step}: its batch has {rows}, the longest of {longest} tokens, "
        f"{share * longest} tokens with padding; "
    )
    if share > 1:
        # A batch may be smaller than the limit; halving the limit would then change nothing.
        half = max(1, min(batch_tokens, len(lengths) * longest) // 2)
        return f"{where}lower {key} from {batch_tokens} to {half}"
    if longest > SHORT:
        return f"{where}lower tokenize.maximum_length (for a phase of the teacher, teacher.maximum_length) to {longest // 2} in params.yaml"
    return f"{where}{smaller} in params.yaml"
