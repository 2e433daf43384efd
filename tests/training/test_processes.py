"""Training in two processes on the CPU, started by `accelerate launch` on this file, compared with one process."""

import json
import os
import socket
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from compactlm.errors import CompactLMError
from compactlm.training import processes
from compactlm.training.checkpoints import Checkpoint
from compactlm.training.loop import Settings, train
from tests.fixtures.builders import make_optimisation
from tests.fixtures.training import Numbers

# Batches have 3 of the 43 rows, so the processes have different shares, and the last batch has one row.
PLAN = make_optimisation(learning_rate=0.02, batch_tokens=12)
ROWS = 43
HOME = Path(__file__).parents[2]
SETTINGS = Settings(seed=3, checkpoint_minutes=0, log_every=4)


class Regression(torch.nn.Module):
    """A frozen teacher, a trainable layer, an unused layer (`idle`) and a layer whose loss is not in `loss` (`aside`)."""

    def __init__(self, shared, dropout=0.0, interrupt_at=None, nan_row=None):
        super().__init__()
        torch.manual_seed(0)
        self.teacher = torch.nn.Linear(6, 6).requires_grad_(False)
        self.body, self.idle, self.aside = torch.nn.Linear(6, 6), torch.nn.Linear(2, 2), torch.nn.Linear(6, 2)
        self.shared, self.dropout = shared, torch.nn.Dropout(dropout)
        self.calls, self.interrupt_at, self.nan_row = 0, interrupt_at, nan_row

    def forward(self, inputs, targets):
        self.calls += 1
        if self.calls == self.interrupt_at:
            raise KeyboardInterrupt
        hidden = self.dropout(self.body(self.teacher(inputs)))
        loss = (self.shared(hidden) - targets).square().mean()
        if self.nan_row is not None and (inputs == self.nan_row).all(dim=1).any():
            loss = loss * float("nan")
        return {"loss": loss, "aside": self.aside(hidden).square().mean()}


def two_phases(checkpoints=None, dropout=0.0, log=None, **changes):
    """Train two objectives with a shared layer, like the projections of both phases."""
    torch.manual_seed(1)
    shared = torch.nn.Linear(6, 2)
    phases = [Regression(shared, dropout), Regression(shared, dropout, **changes)]
    kept = [Checkpoint(checkpoints / str(number), "key") if checkpoints else None for number in (0, 1)]
    history = [train(str(n), phases[n], Numbers(ROWS), PLAN, SETTINGS, kept[n], log).history for n in (0, 1)]
    return {f"{n}.{name}": tensor for n in (0, 1) for name, tensor in phases[n].state_dict().items() if "shared" not in name} | {
        "shared": shared.weight.detach()
    }, history


def worker(directory):
    """Run in each of the two processes. The tests compare what both write."""
    torch.set_num_threads(1)
    mine = directory / ("main" if processes.is_main_process() else "other")
    mine.mkdir()
    logged = []
    weights, history = two_phases(log=lambda step, losses: logged.append(step))
    safetensors.torch.save_file(weights, mine / "weights.safetensors")
    (mine / "history.json").write_text(json.dumps({"history": history, "logged": logged}))

    whole, _ = two_phases(dropout=0.3)
    with pytest.raises(KeyboardInterrupt):
        two_phases(directory / "checkpoints", 0.3, interrupt_at=20)
    resumed, _ = two_phases(directory / "checkpoints", 0.3)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)

    with pytest.raises(CompactLMError) as failure:
        two_phases(nan_row=Numbers(ROWS).inputs[11])
    (mine / "failure.txt").write_text(str(failure.value))

    processes.on_main((directory / "artifact").write_text, "whole")
    assert (directory / "artifact").read_text() == "whole"
    processes.leave()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    directory = tmp_path_factory.mktemp("two")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    accelerate = Path(sys.executable).with_name("accelerate")
    # With --cpu Accelerate needs MPI for several processes. With --multi_gpu it starts them itself, even without a GPU.
    options = ["--multi_gpu", "--num_processes=2", "--num_machines=1", "--mixed_precision=no", f"--main_process_port={port}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HOME": str(directory / "home"), "CUDA_VISIBLE_DEVICES": ""}
    command = [str(accelerate), "launch", *options, "--module", "tests.training.test_processes", str(directory)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=HOME, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    return directory, result.stdout + result.stderr


@pytest.mark.slow
def test_two_processes_end_in_almost_the_weights_and_losses_of_one(two):
    directory, output = two
    expected, losses = two_phases()
    main, other = (safetensors.torch.load_file(directory / who / "weights.safetensors") for who in ("main", "other"))
    for name, tensor in expected.items():
        assert torch.equal(main[name], other[name]), name
        torch.testing.assert_close(main[name], tensor, rtol=1e-3, atol=1e-5)
    assert losses[0][-1][1]["loss"] < losses[0][0][1]["loss"]
    main, other = (json.loads((directory / who / "history.json").read_text()) for who in ("main", "other"))
    assert main["history"] == other["history"]
    for found, wanted in zip(main["history"], losses, strict=True):
        assert [step for step, _ in found] == [step for step, _ in wanted]
        for (_, one), (_, another) in zip(found, wanted, strict=True):
            assert one == pytest.approx(another, rel=1e-3)
    # Only the main process logs and shows progress.
    assert main["logged"] == [step for phase in main["history"] for step, _ in phase]
    assert other["logged"] == []
    assert output.count("0:   0%") == 4  # the bar of the first phase, at each start from step 0


@pytest.mark.slow
def test_both_processes_name_the_step_and_rows_of_a_loss_that_is_not_finite(two):
    directory, _ = two
    main, other = ((directory / who / "failure.txt").read_text() for who in ("main", "other"))
    assert main == other
    assert main.startswith("the loss of 1 is not a finite number at step ")
    assert "11" in main.rpartition(": ")[2].split(", ")


def test_a_single_process_is_the_main_process(tmp_path):
    assert processes.is_main_process()
    processes.on_main((tmp_path / "artifact").write_text, "whole")
    assert (tmp_path / "artifact").read_text() == "whole"


@pytest.mark.parametrize(("rows", "count"), [(3, 1), (7, 2), (7, 3), (4, 4), (1, 4)])
def test_the_weighted_mean_over_processes_is_the_mean_over_rows(rows, count):
    shares = [processes.share(range(rows), process, count) for process in range(count)]
    assert sum(weight for _, weight in shares) == pytest.approx(count)
    assert {row for own, _ in shares for row in own} == set(range(rows))
    squares = sum(statistics.mean(row**2 for row in own) * weight for own, weight in shares) / count
    assert squares == pytest.approx(statistics.mean(row**2 for row in range(rows)))


if __name__ == "__main__":
    worker(Path(sys.argv[1]))
