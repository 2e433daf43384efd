"""What makes a run repeatable and quiet, whatever it computes."""

from __future__ import annotations

import ctypes
import os
import sys

import torch
import transformers

KEPT_BYTES = 2**30  # a tensor of a batch is smaller
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def prepare(threads: int, seed: int = 0) -> None:
    """Fix the number of CPU threads of all processes, on which the last bits of a result depend, and the seed; silence small loads.

    The seed matters before any training: a head that a checkpoint lacks gets random weights when it is loaded.
    """
    # Unless it is asked, Intel's library of matrix products does not promise the same last bits in every run. It reads
    # this when it is first used.
    os.environ.setdefault("MKL_CBWR", "AUTO")
    # Its first logarithm, tanh or exponential of a process differs in the last bits now and then where several threads
    # begin on it at once; 16 numbers are for one thread alone.
    torch.log(torch.ones(16))
    _reuse_memory()
    # Processes of one machine share its cores; threads beyond them wait in a busy loop.
    torch.set_num_threads(max(1, threads // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
    torch.manual_seed(seed)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def _reuse_memory() -> None:
    """Let glibc keep the memory of freed tensors for the next ones.

    By its default it asks the system for every tensor of more than 32 MiB anew and gives it back at once, so that each step of training
    waits for the system to clear the same pages again.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:  # other C libraries lack it
            mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
            mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
