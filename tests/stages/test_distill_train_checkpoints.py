"""The fingerprint of the checkpoints of distill-train covers everything that a run computes with, and nothing else."""

from pathlib import Path

import pytest
import yaml

from compactlm import artifacts
from compactlm.stages import distill_train
from compactlm.stages.distill_train import _checkpoints

HOME = Path(__file__).parents[2]


@pytest.fixture
def key(tmp_path, monkeypatch, build_params):
    """Write artifacts to a working directory; return a function from changed parameters to the fingerprint of a run."""
    monkeypatch.chdir(tmp_path)
    for name in ("cache.json", "rows.parquet", "tensors.safetensors"):
        file = artifacts.SIGNALS / "general" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (artifacts.TOKENIZED / "train").mkdir(parents=True)

    def of(**changed):
        [found] = {checkpoint.key for checkpoint in _checkpoints(build_params(**changed)).values()}
        return found

    return of


@pytest.mark.parametrize(
    ("changed", "used"),
    [({name: value}, True) for name, value in {"batch_tokens": 2048, "seed": 18, "threads": 1, "precision": "bf16"}.items()]
    + [
        ({"signals": {"gigabytes": 9.0}}, False),
        ({"student": {"task_share": 0.9}}, False),
        ({"distill": {"checkpoint_minutes": 9.0}}, False),
    ],
)
def test_the_fingerprint_depends_on_the_parameters_that_training_uses(key, changed, used):
    assert (key(**changed) != key()) == used


@pytest.mark.parametrize(("section", "length"), [("tokenize", 32), ("teacher", 96)])
def test_the_fingerprint_depends_on_the_lengths_to_which_online_signals_truncate_texts(key, section, length):
    online = {"signals": {"source": "online"}}
    assert key(**online, **{section: {"maximum_length": length}}) != key(**online)


@pytest.mark.parametrize(
    "file", [f"{artifacts.SIGNALS}/general/cache.json", f"{artifacts.SIGNALS}/general/rows.parquet", f"{artifacts.TOKENIZED}/train/new"]
)
def test_new_signals_and_rows_change_the_fingerprint(key, file):
    before = key()
    Path(file).write_text("other")
    assert key() != before


def test_the_fingerprint_has_every_parameter_that_the_stage_declares():
    declared = set(yaml.safe_load((HOME / "dvc.yaml").read_text())["stages"]["distill-train"]["params"])
    measured = {"energy", "teacher.validation_words"}
    assert set(distill_train.USED) == declared - measured
