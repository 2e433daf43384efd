import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from compactlm.verification import sketches
from compactlm.verification.sketches import sketch


def test_norms_and_samples_of_tensors_of_all_types_and_shapes(tmp_path, monkeypatch):
    monkeypatch.setattr(sketches, "VALUES_AT_ONCE", 7)
    values = torch.arange(60, dtype=torch.float32).reshape(5, 4, 3)
    path = tmp_path / "a.safetensors"
    kinds = {"a": values, "b": values.bfloat16(), "c": values.int(), "d": torch.tensor(3.0), "e": torch.zeros(0, 2)}
    save_file({**kinds, "f": torch.tensor([float("-inf"), 3.0, 4.0, 0.0])}, path)
    found = sketch(path)["tensors"]
    size = float(np.sqrt(np.square(np.arange(60)).mean()))
    for one in found[:3]:
        assert one == pytest.approx([size, 20, 40], rel=1e-5)
    assert found[3:] == [[3.0, 3.0, 3.0], [0.0], [2.5, 3.0, 4.0]]


def test_another_shape_or_type_has_another_structure(tmp_path):
    structures = set()
    for number, tensor in enumerate((torch.zeros(4), torch.zeros(2, 2), torch.zeros(4, dtype=torch.int32))):
        path = tmp_path / f"{number}.safetensors"
        save_file({"a": tensor}, path)
        structures.add(sketch(path)["structure"])
    assert len(structures) == 3
