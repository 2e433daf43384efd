import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from compactlm.verification import sketches
from compactlm.verification.comparing import DIFFERENT, ROUNDING, compare_sketches
from compactlm.verification.json_files import KEPT, compare_json
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


def test_biases_of_keys_which_change_no_answer_do_not_count(tmp_path):
    found = []
    for number in range(2):
        path = tmp_path / f"{number}.safetensors"
        joint = torch.tensor([1.0, 2.0, 9.0 * number, 7.0 * number, 5.0, 6.0])
        save_file({"0.attention.self.key.bias": torch.full((3,), float(number)), "0.attention/bias": joint}, path)
        found.append(sketch(path)["tensors"])
    assert found[0] == found[1] == [[0.0] * 3, [pytest.approx((66 / 6) ** 0.5, rel=1e-5), 0.0, 5.0]]


@pytest.mark.parametrize(("steps", "verdict"), [(1, ROUNDING), (2, DIFFERENT)])
def test_int8_weights_may_move_by_one_step(tmp_path, steps, verdict):
    found = []
    for shift in (0, steps):
        path = tmp_path / f"{shift}.safetensors"
        save_file(
            {"quantized": torch.tensor([16, 18 + shift, -20], dtype=torch.int8), "zero_point": torch.zeros(2, dtype=torch.int8)}, path
        )
        found.append(json.loads(json.dumps(sketch(path))))
    assert compare_sketches("model", "export", *found).verdict == verdict


@pytest.mark.parametrize(
    ("old", "new", "within"),
    [
        ({"threshold": 0.4932}, {"threshold": 0.4951}, True),
        ({"threshold": 0.4932}, {"threshold": 0.54}, False),
        ({"rows": 2000}, {"rows": 2003}, True),
        ({"rows": 2000}, {"rows": 2300}, False),
        ({"sha256": "a" * 64, "runtime": "onnx"}, {"sha256": "b" * 64, "runtime": "onnx"}, True),
        ({"sha256": "a" * 64, "runtime": "onnx"}, {"sha256": "a" * 64, "runtime": "torch"}, False),
        ({"labels": ["a", "b"]}, {"labels": ["b", "a"]}, False),
        ({"x": [0.1, 0.2]}, {"x": [0.1, 0.2, 0.2]}, False),
        ({"x": True}, {"x": False}, False),
    ],
)
def test_numbers_and_digests_in_json_may_differ_by_rounding_and_words_may_not(tmp_path, old, new, within):
    paths = [tmp_path / name for name in ("old.json", "new.json")]
    for path, content in zip(paths, (old, new), strict=True):
        path.write_text(json.dumps(content))
    distance, _ = compare_json(*map(sketch, paths))
    assert (distance <= 1) == within


def test_a_long_json_file_keeps_some_numbers(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({str(at): at for at in range(1000)}))
    assert len(sketch(path)["numbers"]) == KEPT


def test_a_value_that_is_not_finite_is_no_rounding(tmp_path):
    weights = torch.ones(100, 100)
    save_file({"w": weights}, tmp_path / "a.safetensors")
    weights[3, 4] = float("nan")
    save_file({"w": weights}, tmp_path / "b.safetensors")
    old, new = sketch(tmp_path / "a.safetensors"), sketch(tmp_path / "b.safetensors")
    assert "not_finite" not in old
    found = compare_sketches("w", "train", old, new)
    assert (found.verdict, found.reason) == (DIFFERENT, "the number of values that are not finite (1 instead of 0)")
