"""Make a run repeatable and its output quiet."""

from __future__ import annotations

import ctypes
import os
import sys

import torch
import transformers

KEPT_BYTES = 2**30  # more than any tensor of a batch
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # constants of glibc's malloc.h


def prepare(threads: int, seed: int = 0) -> None:
    """Fix the number of CPU threads and the seed, and hide the progress of loading models.

    The last bits of a result depend on the number of threads. The seed matters even without training, because a head that the checkpoint
    lacks is loaded with random weights. `threads` is the total number over all processes of this machine.
    """
    # Without this, Intel's matrix library may give other last bits in another run. It reads the variable at its first use.
    os.environ.setdefault("MKL_CBWR", "AUTO")
    # The library's first logarithm, tanh or exponential may differ in the last bits if several threads begin it together.
    # One thread computes 16 numbers.
    torch.log(torch.ones(16))
    _reuse_memory()
    # The processes of a machine share its cores; more threads than cores would wait in a busy loop.
    torch.set_num_threads(max(1, threads // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
    torch.manual_seed(seed)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def _reuse_memory() -> None:
    """Let glibc keep the memory of freed tensors for later ones.

    By default glibc returns every freed tensor of more than 32 MiB to the system at once. Each training step would then wait for the system
    to clear the same pages again.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:  # other C libraries lack it
            mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
            mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
