import json

import pytest
import safetensors.torch
import torch

from compactlm.distillation.checkpoints import Checkpoint, fingerprint


def pair(seed=0):
    """A module with a frozen part, and its optimizer."""
    torch.manual_seed(seed)
    module = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    module[0].requires_grad_(False)
    return module, torch.optim.AdamW([p for p in module.parameters() if p.requires_grad], lr=0.1, fused=True)


def step(module, optimizer):
    module(torch.ones(2, 4)).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def weights(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


@pytest.fixture
def saved(tmp_path):
    module, optimizer = pair()
    for _ in range(3):
        step(module, optimizer)
    checkpoint = Checkpoint(tmp_path / "phase", "key")
    checkpoint.save(module, optimizer, 3, [(2, {"loss": 1.5}), (3, {"loss": 0.1 + 0.2})])
    return checkpoint, module, optimizer


def test_everything_comes_back_and_training_goes_on_alike(saved):
    checkpoint, module, optimizer = saved
    drawn = torch.rand(3)
    step(module, optimizer)
    # Frozen weights are not in a checkpoint: the run builds them again from the same seed.
    again, its_optimizer = pair()
    torch.manual_seed(99)
    assert checkpoint.load(again, its_optimizer) == (3, [(2, {"loss": 1.5}), (3, {"loss": 0.1 + 0.2})])
    assert torch.equal(torch.rand(3), drawn)
    step(again, its_optimizer)
    for name, tensor in weights(module).items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_a_checkpoint_of_another_fingerprint_changes_nothing(saved):
    checkpoint, _, _ = saved
    other, optimizer = pair(seed=7)
    before = weights(other)
    assert Checkpoint(checkpoint.directory, "another key").load(other, optimizer) == (0, [])
    assert all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in before.items())
    assert not optimizer.state


def test_without_a_checkpoint_training_starts_at_0(tmp_path):
    assert Checkpoint(tmp_path / "none", "key").load(*pair()) == (0, [])


def test_a_crash_while_saving_leaves_the_checkpoint_before(saved, monkeypatch):
    checkpoint, module, optimizer = saved
    step(module, optimizer)

    def crash(tensors, path):
        path.write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(safetensors.torch, "save_file", crash)
        with pytest.raises(OSError, match="No space left"):
            checkpoint.save(module, optimizer, 4, [])
    assert [path.name for path in checkpoint.directory.parent.iterdir()] == ["phase"]
    again, its_optimizer = pair()
    assert checkpoint.load(again, its_optimizer)[0] == 3


def test_files_are_data_that_cannot_execute_code(saved):
    checkpoint, _, _ = saved
    assert sorted(path.name for path in checkpoint.directory.iterdir()) == ["state.json", "state.safetensors"]
    names = set(safetensors.torch.load_file(checkpoint.directory / "state.safetensors"))
    assert {name for name in names if name.startswith("weight.")} == {"weight.1.weight", "weight.1.bias"}
    assert json.loads((checkpoint.directory / "state.json").read_text())["step"] == 3


def test_the_fingerprint_sees_parameters_and_files_alone(tmp_path):
    (tmp_path / "data" / "part").mkdir(parents=True)
    (tmp_path / "data" / "part" / "a").write_text("1")
    (tmp_path / "data" / "b").write_text("2")
    files = [tmp_path / "data"]
    first = fingerprint({"x": 1, "y": [2, 3]}, files)
    assert fingerprint({"y": [2, 3], "x": 1}, files) == first
    assert fingerprint({"x": 1, "y": [3, 2]}, files) != first
    (tmp_path / "data" / "part" / "a").write_text("one")
    changed = fingerprint({"x": 1, "y": [2, 3]}, files)
    assert changed != first
    (tmp_path / "data" / "b").rename(tmp_path / "data" / "c")
    assert fingerprint({"x": 1, "y": [2, 3]}, files) not in {first, changed}
    assert fingerprint({"x": 1, "y": [2, 3]}, [tmp_path / "data" / "c"]) not in {first, changed}
