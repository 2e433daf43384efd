import threading

import pytest
import torch

from compactlm.training.loader import Loader


@pytest.mark.parametrize("ahead", [False, True])
def test_each_step_has_its_own_batch(ahead):
    with Loader(lambda step: {"step": torch.tensor(step)}, range(3, 9), ahead) as loader:
        assert [int(loader.take(step)["step"]) for step in range(3, 9)] == list(range(3, 9))


def test_one_batch_is_loaded_ahead():
    made = {step: threading.Event() for step in range(3)}

    def load(step):
        made[step].set()
        return {}

    with Loader(load, range(3), ahead=True) as loader:
        loader.take(0)
        assert made[1].wait(10)
        assert not made[2].is_set()


def test_nothing_is_loaded_ahead_on_the_cpu():
    asked = []
    with Loader(lambda step: asked.append(step) or {}, range(3), ahead=False) as loader:
        assert asked == []
        loader.take(0)
        assert asked == [0]


def test_an_error_is_raised_when_its_batch_is_taken():
    def load(step):
        if step == 1:
            raise MemoryError("here")
        return {}

    with Loader(load, range(5), ahead=True) as loader:
        loader.take(0)
        with pytest.raises(MemoryError, match="here"):
            loader.take(1)


def test_a_loader_of_no_steps_has_no_thread():
    with Loader(lambda step: {}, range(0), ahead=True) as loader:
        assert loader.pool is None
