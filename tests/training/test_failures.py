import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from compactlm.bert.memory import memory_errors
from compactlm.errors import CompactLMError
from compactlm.training.checkpoints import Checkpoint
from compactlm.training.loop import Settings, train
from tests.fixtures.builders import make_optimisation

PLAN = make_optimisation(epochs=1, batch_tokens=400)
TOO_MUCH = 10**14  # bytes


class Rows:
    def __init__(self, lengths):
        self.lengths, self.asked = lengths, []

    def batch(self, positions, epoch):
        self.asked.append(positions)
        return {"inputs": torch.ones(len(positions), 2)}


class Failing(torch.nn.Module):
    """Calls a function with the loss of a given step, and returns its result as the loss."""

    def __init__(self, step, spoil):
        super().__init__()
        self.layer, self.step, self.spoil, self.calls = torch.nn.Linear(2, 1), step, spoil, 0

    def forward(self, inputs):
        self.calls += 1
        loss = self.layer(inputs).square().mean()
        return {"loss": self.spoil(loss) if self.calls == self.step else loss, "half": loss / 2}


@pytest.mark.parametrize("ids", [None, [f"id{row}" for row in range(40)]])
def test_a_loss_that_is_not_finite_ends_the_phase(tmp_path, ids):
    objective, examples = Failing(6, lambda loss: loss * float("nan")), Rows([100] * 40)
    if ids:
        examples.ids = ids
    with pytest.raises(CompactLMError) as failure:
        train("phase", objective, examples, PLAN, Settings(3, checkpoint_minutes=0, log_every=4), Checkpoint(tmp_path / "c", "key"))
    assert objective.calls == 8
    sentence = re.fullmatch(
        r"the loss of phase is not a finite number at step 6 \(loss nan, half [0-9.e-]+, gradient norm nan\); lower "
        r"the learning_rate of phase, or check the rows of its batch: (.+)",
        str(failure.value),
    )
    assert sentence[1] == ", ".join(str(ids[row] if ids else row) for row in examples.asked[5])
    # What is kept is the state before the loss went wrong.
    kept = Failing(None, None)
    assert Checkpoint(tmp_path / "c", "key").load(kept, torch.optim.AdamW(kept.parameters()))[0] == 4
    assert torch.isfinite(kept.layer.weight).all()


def test_a_failure_names_the_key_of_the_phase():
    objective = Failing(2, lambda loss: loss * float("inf"))
    with pytest.raises(CompactLMError, match=r"distill\.task\.optimisation\.learning_rate"):
        train("phase", objective, Rows([100] * 20), PLAN, Settings(3), section="distill.task.optimisation")
    with pytest.raises(CompactLMError, match=r"distill\.task\.optimisation\.batch_tokens in params\.yaml from 400 to 200"):
        train("phase", Failing(3, ASKING["python"]), Rows([100] * 20), PLAN, Settings(3), section="distill.task.optimisation")


def test_a_gradient_that_is_not_finite_is_not_kept(tmp_path):
    """The root's derivative at 0 is infinite: the loss is finite at this step, and would not be at the next."""
    objective = Failing(8, lambda loss: (loss * 0).sqrt())
    with pytest.raises(CompactLMError, match=r"the gradient of phase is not a finite number at step 8 \(loss 0, .* gradient norm nan\)"):
        train("phase", objective, Rows([100] * 40), PLAN, Settings(3, checkpoint_minutes=0, log_every=4), Checkpoint(tmp_path / "c", "key"))
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["step-00000004"]


def raising(error):
    def ask(loss):
        raise error

    return ask


ASKING = {
    "gpu": raising(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")),
    "cublas": raising(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")),
    "python": lambda loss: bytearray(TOO_MUCH),
    "numpy": lambda loss: np.ones(TOO_MUCH),
    "torch": lambda loss: torch.ones(TOO_MUCH),
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_a_lack_of_memory_names_the_batch_and_a_smaller_one(ask):
    with pytest.raises(CompactLMError) as failure:
        train("phase", Failing(3, ask), Rows([100] * 20), PLAN, Settings(seed=3))
    assert str(failure.value) == (
        "there is not enough memory for phase at step 3: its batch has 4 rows, the longest of 100 tokens, 400 tokens with padding; "
        "lower the batch_tokens of phase from 400 to 200"
    )


def test_another_error_stays_what_it_is():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train("phase", Failing(3, lambda loss: torch.ones(2, 3) @ torch.ones(2, 3)), Rows([100] * 20), PLAN, Settings(seed=3))


@pytest.mark.parametrize(
    ("step", "lengths", "processes", "advice"),
    [
        (4, [60] * 30, 1, "lower batch_tokens in params.yaml from 2000 to 900"),
        (4, [60] * 32, 2, "has 16 rows, the longest of 60 tokens, 960 tokens with padding; lower batch_tokens"),
        (4, [60] * 32, 2, "from 2000 to 960"),
        (4, [50, 60, 55], 4, "has 3 rows, the longest of 60 tokens, 180 tokens with padding; lower batch_tokens"),
        (4, [60, 50], 2, "has 1 row, the longest of 60 tokens, 60 tokens with padding; halve student.hidden_size"),
        (4, [512], 1, "tokenize.maximum_length (for a phase of the teacher, teacher.maximum_length) to 256 in params.yaml"),
        (4, [40], 1, "halve student.hidden_size and student.intermediate_size"),
        (0, [], 1, "the model of phase, before its first step; halve student.hidden_size"),
    ],
)
def test_what_to_lower_depends_on_the_batch(step, lengths, processes, advice):
    with pytest.raises(CompactLMError) as failure, memory_errors("phase", step, lengths, 2000, processes=processes):
        raise MemoryError
    assert advice in str(failure.value)


def limited():
    """Train with 300 MB more of memory than the process has already, on batches that need more."""
    torch.set_num_threads(1)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000, resource.RLIM_INFINITY))
    wide = torch.nn.Sequential(torch.nn.Linear(2, 3_000_000), torch.nn.Linear(3_000_000, 1))

    class Wide(Failing):
        def forward(self, inputs):
            return {"loss": wide(inputs.repeat(8, 1)).square().mean()}

    train("phase", Wide(None, None), Rows([100] * 20), PLAN, Settings(seed=3))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits a process as Linux does")
def test_a_real_lack_of_memory_on_the_cpu():
    result = subprocess.run(
        [sys.executable, "-m", "tests.training.test_failures"],
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert "compactlm.errors.CompactLMError: there is not enough memory for phase at step 1: its batch has 4 rows" in result.stderr


if __name__ == "__main__":
    limited()
