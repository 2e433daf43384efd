import json
import os
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch

from compactlm.training.checkpoints import Checkpoint


def make_pair(seed=0):
    """Build a module with a frozen layer, and its optimizer."""
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
    module, optimizer = make_pair()
    for _ in range(3):
        step(module, optimizer)
    checkpoint = Checkpoint(tmp_path / "phase", "key")
    checkpoint.save(module, optimizer, 3, [(2, {"loss": 1.5}), (3, {"loss": 0.1 + 0.2})])
    return checkpoint, module, optimizer


def test_training_continues_from_a_checkpoint_as_without_interruption(saved):
    checkpoint, module, optimizer = saved
    drawn = torch.rand(3)
    step(module, optimizer)
    # A checkpoint has no frozen weights; the run builds them again from the same seed.
    again, its_optimizer = make_pair()
    torch.manual_seed(99)
    assert checkpoint.load(again, its_optimizer) == (3, [(2, {"loss": 1.5}), (3, {"loss": 0.1 + 0.2})])
    assert torch.equal(torch.rand(3), drawn)
    step(again, its_optimizer)
    for name, tensor in weights(module).items():
        assert torch.equal(tensor, again.state_dict()[name]), name


@pytest.mark.parametrize("state", ["other", "none", "damaged"])
def test_training_starts_at_0_without_a_valid_checkpoint_of_its_own(saved, capsys, state):
    checkpoint, module, optimizer = saved
    checkpoint.save(module, optimizer, 4, [])
    if state == "damaged":
        for path in checkpoint.directory.glob("*/state.safetensors"):
            path.write_bytes(path.read_bytes()[:-20])
    other, its_optimizer = make_pair(seed=7)
    before = weights(other)
    directory, key = checkpoint.directory / state if state == "none" else checkpoint.directory, "another" if state == "other" else "key"
    assert Checkpoint(directory, key).load(other, its_optimizer) == (0, [])
    assert all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in before.items())
    assert not its_optimizer.state
    assert capsys.readouterr().err.count("warning") == (2 if state == "damaged" else 0)


def test_a_failed_save_leaves_the_previous_checkpoint(saved, monkeypatch):
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
    again, its_optimizer = make_pair()
    assert checkpoint.load(again, its_optimizer)[0] == 3


def test_a_checkpoint_has_only_safetensors_and_json(saved):
    checkpoint, _, _ = saved
    directory = checkpoint.directory / "step-00000003"
    assert sorted(path.name for path in directory.iterdir()) == ["state.json", "state.safetensors"]
    names = set(safetensors.torch.load_file(directory / "state.safetensors"))
    assert {name for name in names if name.startswith("weight.")} == {"weight.1.weight", "weight.1.bias"}
    assert json.loads((directory / "state.json").read_text())["step"] == 3


def names(checkpoint):
    return sorted(path.name for path in checkpoint.directory.iterdir())


def test_only_the_last_two_checkpoints_are_kept(saved):
    checkpoint, module, optimizer = saved
    checkpoint.save(module, optimizer, 4, [])
    assert names(checkpoint) == ["step-00000003", "step-00000004"]
    (checkpoint.directory / ".step-00000005.unfinished").mkdir()  # left by a killed process
    (checkpoint.directory / "step-00000009").mkdir()  # damaged, and ignored when this run continued
    checkpoint.save(module, optimizer, 6, [])
    assert names(checkpoint) == ["step-00000004", "step-00000006"]


def test_the_first_checkpoint_of_a_run_deletes_those_of_other_runs(saved):
    checkpoint, module, optimizer = saved
    checkpoint.save(module, optimizer, 4, [])
    other = Checkpoint(checkpoint.directory, "another key")
    assert other.load(*make_pair()) == (0, [])
    assert names(checkpoint) == ["step-00000003", "step-00000004"]
    other.save(module, optimizer, 2, [])
    assert names(checkpoint) == ["step-00000002"]
    assert other.load(*make_pair())[0] == 2


DAMAGE = {
    "cut": lambda content: content[:-20],
    "flipped bit": lambda content: content[:-5] + bytes([content[-5] ^ 1]) + content[-4:],
    "other bytes": lambda content: b"\xff\x00 garbage",
    "other json": lambda content: b"[]",
    "other step": lambda content: content.replace(b'"step": 4', b'"step": 5'),
    "other loss": lambda content: content.replace(b"0.125", b"0.625"),
    "missing": lambda content: None,
}


@pytest.mark.parametrize(
    ("name", "damage"),
    [("state.safetensors", damage) for damage in ("cut", "flipped bit", "other bytes", "missing")]
    + [("state.json", damage) for damage in DAMAGE if damage != "flipped bit"],
)
def test_a_damaged_checkpoint_is_ignored_for_the_one_before(saved, capsys, damage, name):
    checkpoint, module, optimizer = saved
    before = weights(module)
    step(module, optimizer)
    checkpoint.save(module, optimizer, 4, [(4, {"soft": 0.5, "loss": 0.125})])
    last = checkpoint.directory / "step-00000004"
    content = (last / name).read_bytes()
    damaged = DAMAGE[damage](content)
    assert damaged != content
    (last / name).unlink()
    if damaged is not None:
        (last / name).write_bytes(damaged)
    again, its_optimizer = make_pair(seed=7)
    assert checkpoint.load(again, its_optimizer)[0] == 3
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in before.items() if name.startswith("1"))
    warning = capsys.readouterr().err
    assert warning.startswith(f"warning: ignoring the damaged checkpoint {last} (")
    assert warning.count("\n") == 1
    # Only the main process prints the warning.
    assert checkpoint.load(again, its_optimizer, process=1)[0] == 3
    assert capsys.readouterr().err == ""
    # The next checkpoint replaces the damaged one.
    checkpoint.save(module, optimizer, 4, [])
    assert checkpoint.load(again, its_optimizer)[0] == 4


def test_each_process_restores_its_own_random_state(saved):
    checkpoint, module, optimizer = saved
    states = torch.stack([torch.Generator().manual_seed(seed).get_state() for seed in (5, 6)])
    checkpoint.save(module, optimizer, 4, [], states)
    for process, state in enumerate(states):
        checkpoint.load(*make_pair(), process)
        assert torch.equal(torch.get_rng_state(), state)
    again = make_pair(seed=7)
    untouched = torch.get_rng_state()
    checkpoint.load(*again, process=2)  # a process that the checkpoint has no state of
    assert torch.equal(torch.get_rng_state(), untouched)


def test_files_are_on_the_disk_before_the_rename_and_old_ones_are_deleted_last(saved, monkeypatch):
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
