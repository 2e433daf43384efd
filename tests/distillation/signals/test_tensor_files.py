import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from compactlm.distillation.signals.tensor_files import create_tensors, read_tensors
from compactlm.errors import CompactLMError
from tests.fixtures.builders import resident_bytes

TENSORS = {
    "halves": torch.randn(50, 2, 3).half(),
    "floats": torch.randn(7, 4),
    "integers": torch.arange(9),
    "small": torch.arange(12, dtype=torch.int32).reshape(6, 2),
    "none": torch.zeros(0, 5),
}


@pytest.fixture
def path(tmp_path):
    safetensors.torch.save_file(TENSORS, tmp_path / "t.safetensors", metadata={"format": "pt"})
    return tmp_path / "t.safetensors"


def test_any_slice_equals_that_of_the_library(path):
    found = read_tensors(path)
    assert set(found) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert torch.equal(found[name].read(0, None), tensor)
        for first in range(len(tensor)):
            for last in (first, first + 1, len(tensor)):
                assert torch.equal(found[name].read(first, last), tensor[first:last])


def test_a_truncated_file_is_refused(path):
    found = read_tensors(path)
    os.truncate(path, path.stat().st_size - 100)
    with pytest.raises(CompactLMError, match=r"t\.safetensors ends [0-9]+ bytes early; run `dvc checkout`"):
        for tensor in found.values():
            tensor.read(0, None)
    with pytest.raises(CompactLMError, match=r"t\.safetensors is damaged \(.*\); run `dvc checkout`"):
        read_tensors(path)


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 40, b"\x02" + b"\0" * 7 + b"[]"])
def test_a_file_of_another_kind_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(CompactLMError, match=r"t\.safetensors is damaged \(.*\); run `dvc checkout`") as caught:
        read_tensors(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("names", [list(TENSORS), ["small"], ["none", "floats"]])
def test_a_file_written_in_parts_equals_that_of_the_library(tmp_path, names):
    chosen = {name: TENSORS[name] for name in names}
    safetensors.torch.save_file(chosen, tmp_path / "whole.safetensors")
    tensors = create_tensors(tmp_path / "parts.safetensors", {name: (tensor.dtype, tensor.shape) for name, tensor in chosen.items()})
    for name, tensor in chosen.items():
        for row in reversed(range(0, len(tensor), 4)):
            tensors[name].write(row, tensor[row : row + 4])
    assert (tmp_path / "parts.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


def test_the_file_is_closed_when_the_tensors_are_deleted(path):
    def is_open():
        return any(link.exists() and link.resolve() == path.resolve() for link in Path("/proc/self/fd").iterdir())

    found = read_tensors(path)
    assert is_open()
    del found
    assert not is_open()


@pytest.mark.slow
def test_reading_uses_little_memory(tmp_path):
    safetensors.torch.save_file({"a": torch.zeros(1000, 100_000)}, tmp_path / "large.safetensors")  # 400 MB
    tensor = read_tensors(tmp_path / "large.safetensors")["a"]
    before = resident_bytes()
    for row in range(1000):
        tensor.read(row, row + 1)
    assert resident_bytes() - before < 100e6
