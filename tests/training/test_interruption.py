"""Training that is killed by SIGKILL at many moments. As a program, this file forks training processes and kills them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import safetensors.torch
import torch
from tqdm import tqdm

from compactlm.training.checkpoints import Checkpoint
from compactlm.training.loop import Settings, train
from tests.fixtures.builders import make_optimisation
from tests.fixtures.training import Numbers, Regression

pytestmark = pytest.mark.slow

HOME = Path(__file__).parents[2]
ORIGINALS = {
    (module, name): getattr(module, name)
    for module, name in ((os, "replace"), (os, "fsync"), (os, "unlink"), (os, "rmdir"), (safetensors.torch, "save_file"))
}


def run(directory, kill_at=None):
    """Train and count the moments before steps, writes, renames and deletions; kill this process at moment `kill_at`."""
    moments = 0

    def moment():
        nonlocal moments
        moments += 1
        if moments == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function):
        def call(*args, **kwargs):
            moment()
            return function(*args, **kwargs)

        return call

    for (module, name), function in ORIGINALS.items():
        setattr(module, name, counted(function))
    objective = Regression(dropout=0.3)
    objective.register_forward_pre_hook(lambda *_: moment())
    settings = Settings(seed=3, checkpoint_minutes=0, log_every=4)
    train("phase", objective, Numbers(), make_optimisation(epochs=2), settings, Checkpoint(directory / "checkpoint", "key"))
    (directory / "weights").write_bytes(safetensors.torch.save(objective.last.state_dict()))
    (directory / "moments").write_text(str(moments))


def forked(*args):
    """Run in a process of its own and return its exit code."""
    process = os.fork()
    if process == 0:
        try:
            run(*args)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def kill_everywhere(every):
    torch.set_num_threads(1)
    tqdm.monitor_interval = 0  # a fork has no copy of the monitor's thread
    whole = Path(tempfile.mkdtemp())
    run(whole)  # in this process, so that the forks have all imports
    moments = int((whole / "moments").read_text())
    for kill_at in range(1, moments + 1, every):
        directory = whole / str(kill_at)
        directory.mkdir()
        assert forked(directory, kill_at) == -signal.SIGKILL
        assert forked(directory) == 0
        assert (directory / "weights").read_bytes() == (whole / "weights").read_bytes(), kill_at
    shutil.rmtree(whole)
    print(moments)  # noqa: T201


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_run_that_is_killed_at_any_moment_ends_in_the_same_bytes():
    result = subprocess.run(
        [sys.executable, "-m", "tests.training.test_interruption"], cwd=HOME, check=False, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stderr[-4000:]
    assert int(result.stdout) > 60
    assert "damaged" not in result.stderr  # a kill leaves no incomplete checkpoint under its final name


if __name__ == "__main__":
    kill_everywhere(every=int(sys.argv[1]) if len(sys.argv) > 1 else 5)
