"""What makes a run repeatable and quiet, whatever it computes."""

from __future__ import annotations

import torch
import transformers


def prepare(threads: int) -> None:
    """Fix the number of CPU threads, on which the last bits of a result depend, and silence progress of small loads."""
    torch.set_num_threads(threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
