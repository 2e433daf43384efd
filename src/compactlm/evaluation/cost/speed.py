"""Speed and memory of models on this machine, each measured in its own process.

    python -m compactlm.evaluation.cost.speed < request.json

Only a separate process shows the peak memory of one model. Weights affect neither figure, so each model is built from its configuration.
This allows a comparison with the shape of bert-base without its weights.
"""

from __future__ import annotations

import contextlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertForSequenceClassification

from compactlm.bert.models import best_device
from compactlm.errors import CompactLMError

FEWEST_RUNS = 2  # after one warm-up run of the first batch size
READY = "ready"  # printed by a process that has finished its imports


def measure(config: BertConfig, threads: int, tokens: int, batches: Sequence[int], seconds: float) -> dict[str, Any]:
    """Time a classifier with this configuration in this process, on sequences of `tokens` tokens in batches of each size.

    Each size is timed for `seconds`, or longer if FEWEST_RUNS runs take longer.

    Returns:
        For each batch size, as `batch_N`: `milliseconds` a batch (median), `sequences_a_second`, and `runs`. Also `peak_memory_bytes` of
        the process, including Python and torch, and `peak_gpu_memory_bytes` on a GPU.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    device = best_device()
    model = BertForSequenceClassification(config).eval().to(device)
    found: dict[str, Any] = {}
    with torch.inference_mode():
        model(torch.randint(0, config.vocab_size, (batches[0], tokens), device=device))
    for batch in batches:
        input_ids = torch.randint(0, config.vocab_size, (batch, tokens), device=device)
        spent = _times(model, input_ids, seconds)
        median = statistics.median(spent)
        found[f"batch_{batch}"] = {"milliseconds": 1000 * median, "sequences_a_second": batch / median, "runs": len(spent)}
    found["peak_memory_bytes"] = peak_memory()
    if device.type == "cuda":
        found["peak_gpu_memory_bytes"] = torch.cuda.max_memory_allocated()
    return found


def _times(model: BertForSequenceClassification, input_ids: torch.Tensor, seconds: float) -> list[float]:
    spent: list[float] = []
    with torch.inference_mode():
        while len(spent) < FEWEST_RUNS or sum(spent) < seconds:
            if input_ids.is_cuda:
                torch.cuda.synchronize()
            start = time.perf_counter()
            model(input_ids)
            if input_ids.is_cuda:
                torch.cuda.synchronize()
            spent.append(time.perf_counter() - start)
    return spent


def peak_memory() -> int:
    """Return the peak resident memory of this process in bytes."""
    try:
        # getrusage is the second choice: on Linux its figure survives exec and then belongs to the calling process.
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def compare_speed(
    configs: Mapping[str, BertConfig], threads: int, tokens: int, batches: Sequence[int], seconds: float
) -> dict[str, dict[str, Any]]:
    """Return `measure` of each configuration by name, one process after another.

    The processes start together because most of their time is imports. Timing begins when the last of them is ready.

    Raises:
        CompactLMError: a process failed, for instance because it ran out of memory.
    """
    found = {}
    with contextlib.ExitStack() as running:
        processes = {name: running.enter_context(_process()) for name in configs}
        for process in processes.values():
            if process.stdout:  # always true for a pipe
                process.stdout.readline()
        for name, config in configs.items():
            request = {"config": config.to_dict(), "threads": threads, "tokens": tokens, "batches": list(batches), "seconds": seconds}
            answer, complaints = processes[name].communicate(json.dumps(request))
            if processes[name].returncode != 0:
                last = (complaints.strip().splitlines() or ["it was killed"])[-1]
                raise CompactLMError(
                    f"timing of {name} at batch sizes {', '.join(map(str, batches))} failed ({last[:200]}); free some memory, or lower "
                    "evaluate.timings.batches in params.yaml"
                )
            found[name] = json.loads(answer)
    return found


def _process() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "compactlm.evaluation.cost.speed"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def main() -> None:
    """Print READY, and answer the request from the standard input."""
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    asked = sys.stdin.read()
    if not asked:  # the parent process has stopped
        return
    request = json.loads(asked)
    config = BertConfig.from_dict(request.pop("config"))
    json.dump(measure(config, **request), sys.stdout)


if __name__ == "__main__":
    main()
