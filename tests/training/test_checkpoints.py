import json
import os
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch

from compactlm.training.checkpoints import Checkpoint


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


@pytest.mark.parametrize("state", ["other", "none", "damaged"])
def test_without_an_own_whole_checkpoint_training_starts_at_0(saved, capsys, state):
    checkpoint, module, optimizer = saved
    checkpoint.save(module, optimizer, 4, [])
    if state == "damaged":
        for path in checkpoint.directory.glob("*/state.safetensors"):
            cut(path)
    other, its_optimizer = pair(seed=7)
    before = weights(other)
    directory, key = checkpoint.directory / state if state == "none" else checkpoint.directory, "another" if state == "other" else "key"
    assert Checkpoint(directory, key).load(other, its_optimizer) == (0, [])
    assert all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in before.items())
    assert not its_optimizer.state
    assert capsys.readouterr().err.count("warning") == (2 if state == "damaged" else 0)


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
    assert names(checkpoint) == ["step-00000003"]
    again, its_optimizer = pair()
    assert checkpoint.load(again, its_optimizer)[0] == 3


def test_files_are_data_that_cannot_execute_code(saved):
    checkpoint, _, _ = saved
    directory = checkpoint.directory / "step-00000003"
    assert sorted(path.name for path in directory.iterdir()) == ["state.json", "state.safetensors"]
    names = set(safetensors.torch.load_file(directory / "state.safetensors"))
    assert {name for name in names if name.startswith("weight.")} == {"weight.1.weight", "weight.1.bias"}
    assert json.loads((directory / "state.json").read_text())["step"] == 3


def names(checkpoint):
    return sorted(path.name for path in checkpoint.directory.iterdir())


def test_the_last_two_are_kept_and_nothing_else(saved):
    checkpoint, module, optimizer = saved
    checkpoint.save(module, optimizer, 4, [])
    assert names(checkpoint) == ["step-00000003", "step-00000004"]
    (checkpoint.directory / ".step-00000005.unfinished").mkdir()  # as a kill leaves it
    (checkpoint.directory / "step-00000009").mkdir()  # damaged, and passed over when this run went on
    checkpoint.save(module, optimizer, 6, [])
    assert names(checkpoint) == ["step-00000004", "step-00000006"]


def test_another_runs_checkpoints_go_when_this_one_has_its_first(saved):
    checkpoint, module, optimizer = saved
    checkpoint.save(module, optimizer, 4, [])
    other = Checkpoint(checkpoint.directory, "another key")
    assert other.load(*pair()) == (0, [])
    assert names(checkpoint) == ["step-00000003", "step-00000004"]
    other.save(module, optimizer, 2, [])
    assert names(checkpoint) == ["step-00000002"]
    assert other.load(*pair())[0] == 2


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def flip(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


def garble(path):
    path.write_bytes(b"\xff\x00 garbage")


def hollow(path):
    path.write_text("[]")


def alter(old, new):
    def harm(path):
        content = path.read_text()
        assert content.count(old) == 1
        path.write_text(content.replace(old, new))

    return harm


@pytest.mark.parametrize(
    ("name", "harm"),
    [("state.safetensors", harm) for harm in (cut, flip, garble, Path.unlink)]
    + [("state.json", harm) for harm in (cut, garble, hollow, Path.unlink, alter('"step": 4', '"step": 5'), alter("0.125", "0.625"))],
)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(saved, capsys, harm, name):
    checkpoint, module, optimizer = saved
    before = weights(module)
    step(module, optimizer)
    checkpoint.save(module, optimizer, 4, [(4, {"soft": 0.5, "loss": 0.125})])
    last = checkpoint.directory / "step-00000004"
    harm(last / name)
    again, its_optimizer = pair(seed=7)
    assert checkpoint.load(again, its_optimizer)[0] == 3
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in before.items() if name.startswith("1"))
    warning = capsys.readouterr().err
    assert warning.startswith(f"warning: ignoring the damaged checkpoint {last} (")
    assert warning.count("\n") == 1
    # What one process says the others need not say.
    assert checkpoint.load(again, its_optimizer, process=1)[0] == 3
    assert capsys.readouterr().err == ""
    # The next one takes the damaged one's place.
    checkpoint.save(module, optimizer, 4, [])
    assert checkpoint.load(again, its_optimizer)[0] == 4


def test_each_process_gets_its_own_random_state_back(saved):
    checkpoint, module, optimizer = saved
    states = torch.stack([torch.Generator().manual_seed(seed).get_state() for seed in (5, 6)])
    checkpoint.save(module, optimizer, 4, [], states)
    for process, state in enumerate(states):
        checkpoint.load(*pair(), process)
        assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(7)
    untouched = torch.get_rng_state()
    again = pair(seed=7)
    torch.set_rng_state(untouched)
    checkpoint.load(*again, process=2)
    assert torch.equal(torch.get_rng_state(), untouched)


def test_files_reach_the_disk_before_the_name_and_old_ones_go_last(saved, monkeypatch):
    checkpoint, module, optimizer = saved
    checkpoint.save(module, optimizer, 4, [])
    done = []
    replace, rmtree = os.replace, shutil.rmtree
    monkeypatch.setattr(os, "fsync", lambda descriptor: done.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().name}"))
    monkeypatch.setattr(os, "replace", lambda old, new: (done.append(f"rename {Path(new).name}"), replace(old, new)))
    monkeypatch.setattr(shutil, "rmtree", lambda path, **kwargs: (done.append(f"delete {Path(path).name}"), rmtree(path, **kwargs)))
    checkpoint.save(module, optimizer, 5, [])
    assert done == [
        "rename state.json",
        "fsync state.safetensors",
        "fsync state.json",
        "fsync .step-00000005.unfinished",
        "rename step-00000005",
        "fsync phase",
        "delete step-00000003",
    ]
