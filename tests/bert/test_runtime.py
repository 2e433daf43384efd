import platform
import subprocess
import sys

import pytest
import torch
import transformers

from compactlm.bert.runtime import prepare


@pytest.fixture(autouse=True)
def restored_libraries():
    before = torch.get_num_threads(), transformers.utils.logging.get_verbosity()
    yield
    torch.set_num_threads(before[0])
    transformers.utils.logging.set_verbosity(before[1])


def test_threads_are_fixed_and_libraries_are_quiet():
    prepare(2)
    assert torch.get_num_threads() == 2
    assert transformers.utils.logging.get_verbosity() == transformers.logging.ERROR
    assert not transformers.utils.logging.is_progress_bar_enabled()


@pytest.mark.parametrize(("processes", "expected"), [("2", 2), ("3", 1), ("8", 1)])
def test_processes_of_one_machine_share_its_threads(monkeypatch, processes, expected):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
    prepare(4)
    assert torch.get_num_threads() == expected


@pytest.mark.slow
def test_memory_of_freed_tensors_is_used_again():
    """The first use of a page is a fault, and using freed memory again is not."""
    code = (
        "import resource, sys, torch\n"
        "from compactlm.bert.runtime import prepare\n"
        "if sys.argv[1] == 'prepared': prepare(1)\n"
        "torch.ones(2**24)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(8): torch.ones(2**24)\n"  # 64 MiB each
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)\n"
    )
    plain, prepared = [
        int(subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True).stdout)
        for how in ("", "prepared")
    ]
    # Other C libraries are not configured and may do either.
    assert prepared < (plain / 4 if platform.libc_ver()[0] == "glibc" else plain + 1000)
