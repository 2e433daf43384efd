"""Speed and memory of models on this machine, each measured in its own process.

    python -m compactlm.evaluation.cost.speed < request.json

The peak memory of one model can only be measured in a separate process. The processes are forks of one that has imported everything.
Weights affect neither speed nor memory, so each model is built from its configuration. bert-base can therefore be compared without its
weights.
"""

from __future__ import annotations

import json
import multiprocessing
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
COMMAND = [sys.executable, "-m", "compactlm.evaluation.cost.speed"]


def measure(config: BertConfig, threads: int, tokens: int, batches: Sequence[int], seconds: float) -> dict[str, Any]:
    """Time a classifier with this configuration in this process, on sequences of `tokens` tokens, for each batch size.

    Each batch size is timed for at least `seconds` and at least FEWEST_RUNS runs.

    Returns:
        For each batch size, as `batch_N`: `milliseconds` per batch (median), `sequences_a_second`, and `runs`. Also `peak_memory_bytes` of
            the process (including Python and torch) and, on a GPU, `peak_gpu_memory_bytes`.
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
    """Return the result of `measure` for each configuration, by name. The processes run one after another.

    Raises:
        CompactLMError: a process failed, for instance because it ran out of memory.
    """
    shapes = [config.to_dict() for config in configs.values()]
    request = {"configs": shapes, "threads": threads, "tokens": tokens, "batches": list(batches), "seconds": seconds}
    done = subprocess.run(COMMAND, input=json.dumps(request), capture_output=True, text=True, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if len(found) < len(configs):
        last = (done.stderr.strip().splitlines() or ["it was killed"])[-1]
        raise CompactLMError(
            f"timing of {list(configs)[len(found)]} at batch sizes {', '.join(map(str, batches))} failed ({last[:200]}); free some memory, "
            "or lower evaluate.timings.batches in params.yaml"
        )
    return dict(zip(configs, found, strict=True))


def _answer(config: dict[str, Any], request: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(measure(BertConfig.from_dict(config), **request)) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read a request from standard input. Write one line of JSON for each configuration, until one fails."""
    request = json.load(sys.stdin)
    for config in request.pop("configs"):
        # A fork after the imports saves seconds for each model. No thread of torch runs before it.
        process = multiprocessing.get_context("fork").Process(target=_answer, args=(config, request))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(1)


if __name__ == "__main__":
    main()
