"""What makes a run repeatable and quiet, whatever it computes."""

from __future__ import annotations

import os

import torch
import transformers


def prepare(threads: int, seed: int = 0) -> None:
    """Fix the number of CPU threads, on which the last bits of a result depend, and the seed; silence progress of small loads.

    The seed matters before any training: a head that a checkpoint lacks gets random weights when it is loaded.
    """
    # Unless it is asked, Intel's library of matrix products does not promise the same last bits in every run. It reads
    # this when it is first used.
    os.environ.setdefault("MKL_CBWR", "AUTO")
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
