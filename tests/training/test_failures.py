import re

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
    """A model whose loss at one step is replaced by `spoil(loss)`."""

    def __init__(self, step, spoil):
        super().__init__()
        self.layer, self.step, self.spoil, self.calls = torch.nn.Linear(2, 1), step, spoil, 0

    def forward(self, inputs):
        self.calls += 1
        loss = self.layer(inputs).square().mean()
        return {"loss": self.spoil(loss) if self.calls == self.step else loss, "half": loss / 2}


IDS = [f"id{row}" for row in range(40)]


@pytest.mark.parametrize(
    ("ids", "step", "spoil", "value"),
    [
        (None, 6, lambda loss: loss * float("nan"), "loss"),
        (IDS, 6, lambda loss: loss * float("nan"), "loss"),
        # The derivative of the square root at 0 is infinite, so this loss is finite and that of the next step would not be.
        (None, 8, lambda loss: (loss * 0).sqrt(), "gradient"),
    ],
)
def test_a_value_that_is_not_finite_ends_the_phase(tmp_path, ids, step, spoil, value):
    objective, examples = Failing(step, spoil), Rows([100] * 40)
    if ids:
        examples.ids = ids
    with pytest.raises(CompactLMError) as failure:
        train("phase", objective, examples, PLAN, Settings(3, checkpoint_minutes=0, log_every=4), Checkpoint(tmp_path / "c", "key"))
    assert objective.calls == 8
    sentence = re.fullmatch(
        rf"the {value} of phase is not a finite number at step {step} \(loss (?:nan|0), half [0-9.e-]+, gradient norm nan\); lower "
        r"the learning_rate of phase, or check the rows of its batch: (.+)",
        str(failure.value),
    )
    assert sentence[1] == ", ".join(str(ids[row] if ids else row) for row in examples.asked[step - 1])
    # The last checkpoint has the finite state of step 4.
    kept = Failing(None, None)
    assert Checkpoint(tmp_path / "c", "key").load(kept, torch.optim.AdamW(kept.parameters()))[0] == 4
    assert torch.isfinite(kept.layer.weight).all()


def test_a_failure_names_the_key_of_the_phase():
    objective = Failing(2, lambda loss: loss * float("inf"))
    with pytest.raises(CompactLMError, match=r"distill\.task\.optimisation\.learning_rate"):
        train("phase", objective, Rows([100] * 20), PLAN, Settings(3), section="distill.task.optimisation")
    with pytest.raises(CompactLMError, match=r"distill\.task\.optimisation\.batch_tokens in params\.yaml from 400 to 200"):
        train("phase", Failing(3, REQUESTS["python"]), Rows([100] * 20), PLAN, Settings(3), section="distill.task.optimisation")


def raising(error):
    def allocate(loss):
        raise error

    return allocate


REQUESTS = {
    "gpu": raising(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")),
    "cublas": raising(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")),
    "python": lambda loss: bytearray(TOO_MUCH),
    "numpy": lambda loss: np.ones(TOO_MUCH),
    "torch": lambda loss: torch.ones(TOO_MUCH),
}


@pytest.mark.parametrize("allocate", REQUESTS.values(), ids=REQUESTS)
def test_a_lack_of_memory_names_the_batch_and_a_smaller_one(allocate):
    with pytest.raises(CompactLMError) as failure:
        train("phase", Failing(3, allocate), Rows([100] * 20), PLAN, Settings(seed=3))
    assert str(failure.value) == (
        "there is not enough memory for phase at step 3: its batch has 4 rows, the longest of 100 tokens, 400 tokens with padding; "
        "lower the batch_tokens of phase from 400 to 200"
    )


def test_other_errors_are_raised_unchanged():
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
def test_the_key_to_lower_depends_on_the_batch(step, lengths, processes, advice):
    with pytest.raises(CompactLMError) as failure, memory_errors("phase", step, lengths, 2000, processes=processes):
        raise MemoryError
    assert advice in str(failure.value)
