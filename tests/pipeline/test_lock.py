"""Reading dvc.lock, also one that DVC left damaged."""

import subprocess
import sys

import pytest

from compactlm.errors import CompactLMError
from compactlm.pipeline.lock import LOCK, read_stages


def test_stages_are_read_by_name(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_stages() == {}
    LOCK.write_text("schema: '2.0'\nstages:\n  clean:\n    cmd: run\n")
    assert read_stages() == {"clean": {"cmd": "run"}}


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"stages", b"schema: 2", b"stages: [1]", b"stages:", b"[" * 10_000])
def test_a_damaged_lock_is_told(tmp_path, monkeypatch, content: bytes) -> None:
    monkeypatch.chdir(tmp_path)
    LOCK.write_bytes(content)
    with pytest.raises(CompactLMError, match=r"^dvc\.lock is damaged; restore it with `git checkout dvc\.lock`"):
        read_stages()


def test_make_train_tells_a_damaged_lock_before_dvc_does(tmp_path, monkeypatch) -> None:
    """A full disk while DVC wrote the file left it like this; `make torture` found it."""
    monkeypatch.chdir(tmp_path)
    LOCK.write_text(
        "schema: '2.0'\nstages:\n  clean:\n    cmd: python -m compactlm.stages.clean\n    deps:\n    - path: configs\n      md5"
    )
    done = subprocess.run([sys.executable, "-m", "compactlm", "preset"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "compactlm: dvc.lock is damaged; restore it with `git checkout dvc.lock`, then run the command again\n"
